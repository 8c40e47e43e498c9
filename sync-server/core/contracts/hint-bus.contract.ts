import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anId } from './contract-examples.ts';
import type { Hint, HintBus, PresenceNews } from '../ports.ts';

/** Two nodes' ends of one bus. */
export interface BusWorld {
  here: HintBus;
  there: HintBus;
  close(): Promise<void>;
}

/** What every hint bus must do, whatever carries it. */
export function hintBusContract(name: string, makeWorld: () => Promise<BusWorld>): void {
  describe(`${name}: hint bus`, () => {
    let world: BusWorld;
    beforeAll(async () => {
      world = await makeWorld();
    });
    afterAll(() => world.close());

    const someHint = (): Hint => ({ kind: 'positions', conversationId: anId(), userId: anId(), read: true });
    const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000 });

    test('[L12] a hint reaches every node, the one that sends it too', async () => {
      const hints: [Hint[], Hint[]] = [[], []];
      const stops = [
        await world.here.listen(
          (hint) => hints[0].push(hint),
          () => {},
        ),
        await world.there.listen(
          (hint) => hints[1].push(hint),
          () => {},
        ),
      ];
      const sent: Hint[] = [someHint(), { kind: 'updates', documents: [[anId(), 3, 70_000_000_000]] }];
      for (const hint of sent) await world.here.publish(hint);
      await until(() => expect(hints).toEqual([sent, sent]));
      for (const stop of stops) await stop();
    });

    test('[L12] who begins to listen is told of a gap, and hears what is sent after it', async () => {
      let gaps = 0;
      const hints: Hint[] = [];
      const stop = await world.here.listen(
        (hint) => hints.push(hint),
        () => gaps++,
      );
      expect(gaps).toBe(1);
      const hint = someHint();
      await world.there.publish(hint);
      await until(() => expect(hints).toEqual([hint]));
      await stop();
    });

    test('[L12] who stopped listening hears nothing more, the others still do', async () => {
      const hints: [Hint[], Hint[]] = [[], []];
      const stopFirst = await world.here.listen(
        (hint) => hints[0].push(hint),
        () => {},
      );
      const stopSecond = await world.here.listen(
        (hint) => hints[1].push(hint),
        () => {},
      );
      await stopFirst();
      const hint = someHint();
      await world.there.publish(hint);
      await until(() => expect(hints[1]).toEqual([hint]));
      expect(hints[0]).toEqual([]);
      await stopSecond();
    });

    test('[P8] what one node publishes comes in that order, however much at once, and each hint as it was', async () => {
      const heard: Hint[] = [];
      const stop = await world.there.listen(
        (hint) => heard.push(hint),
        () => {},
      );
      const node = anId();
      const sent = Array.from({ length: 200 }, (_, i): Hint[] => [
        { kind: 'presence', node, clock: 2 * i, news: [[anId(), i, anId(), i, [true, false, null][i % 3]!, i % 2 ? i : null]] },
        { kind: 'who-is-here', node, clock: 2 * i + 1, conversationIds: i % 2 ? [anId()] : [] },
      ]).flat();
      await Promise.all(sent.map((hint) => world.here.publish(hint)));
      await until(() => expect(heard).toHaveLength(sent.length));
      expect(heard).toEqual(sent);
      await stop();
    });

    test('[P8] very much news and very many questions arrive whole, in one piece or several, each of which says whose it is', async () => {
      const news = Array.from({ length: 500 }, (_, i): PresenceNews => [anId(), 4_294_967_295 - i, anId(), i, true, i]);
      const conversationIds = Array.from({ length: 500 }, anId);
      const heard: Hint[] = [];
      const stop = await world.there.listen(
        (hint) => heard.push(hint),
        () => {},
      );
      const head = { node: anId(), clock: 7 };
      await world.here.publish({ kind: 'presence', ...head, news });
      await world.here.publish({ kind: 'who-is-here', ...head, conversationIds });
      await until(() =>
        expect(heard.flatMap((hint) => (hint.kind === 'who-is-here' ? hint.conversationIds : []))).toEqual(conversationIds),
      );
      expect(heard.flatMap((hint) => (hint.kind === 'presence' ? hint.news : []))).toEqual(news);
      for (const hint of heard) expect(hint).toMatchObject(head);
      await stop();
    });

    test('[L12] a hint of very many documents arrives whole, in one piece or several', async () => {
      const documents = Array.from({ length: 1_000 }, (_, n): [string, number, number] => [anId(), n, n]);
      const heard: unknown[] = [];
      const stop = await world.there.listen(
        (hint) => {
          if (hint.kind === 'updates') heard.push(...hint.documents);
        },
        () => {},
      );
      await world.here.publish({ kind: 'updates', documents });
      await until(() => expect(heard).toEqual(documents));
      await stop();
    });
  });
}
