import { describe, expect, test } from 'vitest';
import { platformSession } from '../identity.ts';
import { makeCarrier } from '../testing/carrier.ts';
import { settled } from '../testing/manual-clock.ts';
import { startTestNode } from '../testing/test-node.ts';

const code = (closed: { code: number } | null): number | null => closed?.code ?? null;

describe('a sign-in that ends', () => {
  test('[S4] between the look at it and the opening of the socket: the socket ends within a second', async () => {
    const { open, node, store, ana, conversationId, clock } = await startTestNode();
    // The hint comes before there is a socket to end.
    store.endedSignIns.add('out');
    node.messaging.endSessions({ userId: ana, sid: 'out' });
    await settled();
    const [late, shared] = [await open(ana, conversationId, { sid: 'out' }), makeCarrier(node, ana, { sid: 'out' })];
    const other = await open(ana, conversationId, { sid: 'in' });
    await clock.advance(1_000);
    expect([late.closed, shared.closed, other.closed].map(code)).toEqual([4401, 4401, null]);
    expect(node.counts()).toEqual({ rooms: 1, sessions: 1 });
  });

  test('[S4] without a hint: its sockets end within 6 s on every node, and no others', async () => {
    const { open, anotherNode, store, ana, ben, conversationId, clock } = await startTestNode();
    const other = await anotherNode();
    const here = await open(ana, conversationId, { sid: 'one' });
    const there = await open(ana, `${conversationId}/1`, { sid: 'one', on: other });
    const rest = [await open(ana, conversationId, { sid: 'two', on: other }), await open(ben, conversationId, { sid: 'three' })];
    await clock.advance(10_000);
    store.endedSignIns.add('one');
    await clock.advance(6_000);
    expect([here, there, ...rest].map(({ closed }) => code(closed))).toEqual([4401, 4401, null, null]);
  });

  test('[G5] of a deleted account that came by the platform’s token, without a hint: within 6 s', async () => {
    const { open, store, ana, ben, conversationId, clock } = await startTestNode();
    const sid = platformSession(new Uint8Array(32));
    const [gone, other] = [
      await open(ana, conversationId, { sid }),
      await open(ben, conversationId, { sid: platformSession(new Uint8Array(32).fill(1)) }),
    ];
    await clock.advance(10_000);
    store.gone.add(ana);
    await clock.advance(6_000);
    expect([gone.closed, other.closed].map(code)).toEqual([4401, null]);
  });

  test('[S4] while nobody can say, sockets stay, and the next look tells', async () => {
    const { open, store, ana, conversationId, clock } = await startTestNode();
    const here = await open(ana, conversationId, { sid: 'one' });
    await clock.advance(10_000);
    store.endedSignIns.has = () => {
      throw new Error('the database is away');
    };
    store.endedSignIns.add('one');
    await clock.advance(10_000);
    expect(here.closed).toBeNull();
    store.endedSignIns.has = (sid) => Set.prototype.has.call(store.endedSignIns, sid);
    await clock.advance(6_000);
    expect(code(here.closed)).toBe(4401);
  });
});
