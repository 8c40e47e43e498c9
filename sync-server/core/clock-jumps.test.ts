import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { KEEP_ALIVE_MS, RATES } from '../../shared/limits.ts';
import { encodeStep1 } from '../../shared/protocol.ts';
import { addMessage, readMessages } from '../../shared/segment.ts';
import { makeCarrier } from './testing/carrier.ts';
import { settled } from './testing/manual-clock.ts';
import { startTestNode } from './testing/test-node.ts';

/** The machine's clock is put forward or back while the node runs: a step of NTP, a mistake of an operator. */
const JUMPS = [-24 * 3_600_000, -300_000, -10_000, 10_000, 300_000, 24 * 3_600_000];

describe.each(JUMPS)('[F9] a clock that jumps by %i ms', (jump) => {
  test('changes no order: a message stands where it arrived, before and after', async () => {
    const { open, clock, ana, ben, conversationId, messageId, row } = await startTestNode();
    const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
    for (let i = 0; i < 6; i++) {
      if (i % 2 === 1) clock.jump(i === 3 ? -jump : jump);
      const [peer, who] = i % 2 ? [a, ana] : [b, ben];
      peer.change((doc) => addMessage(doc, who, messageId(), [`m${i}`, null, null]));
      await settled();
    }
    for (const { doc } of [a, b]) {
      expect(readMessages(doc).map(({ body }) => body)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
      expect(readMessages(doc).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect([...row().messages.values()].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect([a.closed, b.closed]).toEqual([null, null]);
  });

  test('neither ends a session nor holds up its signs of life', async () => {
    const { open, clock, node, ana, conversationId } = await startTestNode();
    const peer = await open(ana, `${conversationId}/1`);
    const carrier = makeCarrier(node, ana, { expiresAt: clock.now() + 900_000 });
    carrier.say({ hello: { version: 1, cursor: null } });
    await settled();
    const said = carrier.inbox().length;
    clock.jump(jump);
    await clock.advance(KEEP_ALIVE_MS + 1);
    expect(peer.order.filter((kind) => kind === 'keep-alive')).toHaveLength(1);
    expect(carrier.inbox()).toHaveLength(said + 1);
    await clock.advance(860_000);
    expect([peer.closed, carrier.closed]).toEqual([null, null]);
    await clock.advance(60_000);
    expect([peer.closed?.code, carrier.closed?.code]).toEqual([4501, 4501]);
  });

  test('takes no allowance away, and gives none', async () => {
    const { open, clock, ana, conversationId } = await startTestNode();
    const peer = await open(ana, `${conversationId}/1`);
    const ask = (): void => peer.send(encodeStep1(Y.encodeStateVector(peer.doc)));
    for (let i = 1; i < RATES.step1.burst; i++) ask();
    clock.jump(jump);
    expect(peer.closed).toBeNull();
    await clock.advance(60_000);
    // It asked once more of itself, as it joined.
    for (let i = 0; i < RATES.step1.perMinute; i++) ask();
    expect(peer.closed).toBeNull();
    ask();
    expect(peer.closed?.code).toBe(1013);
  });
});
