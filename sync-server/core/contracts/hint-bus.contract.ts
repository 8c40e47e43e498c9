import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { anId } from './contract-examples.ts';
import type { Hint, HintBus } from '../ports.ts';

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
