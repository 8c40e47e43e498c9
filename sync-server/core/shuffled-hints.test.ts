import { expect, test } from 'vitest';
import type { Clock } from '../../shared/clock.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol-version.ts';
import { addMessage, readLog, readMessages } from '../../shared/segment.ts';
import type { Hint, HintBus } from './ports.ts';
import { type Chance, makeChance } from './simulator/chance.ts';
import { makeCarrier } from './testing/carrier.ts';
import { settled } from './testing/manual-clock.ts';
import { startTestNode } from './testing/test-node.ts';

/** Hints are gathered for so long, and come in an order of chance, some twice, some never. */
const WINDOW_MS = 10_000;
/** How long a node may lag behind the log where hints are of no use (L12). */
const POLL_MS = 5_000;

function shuffle(bus: HintBus, clock: Clock, chance: Chance): HintBus {
  return {
    publish: (hint) => bus.publish(hint),
    async listen(onHint, onGap) {
      let window: Hint[] = [];
      const flush = (): void => {
        const hints = window.flatMap((hint) => (chance.happens(0.1) ? [] : chance.happens(0.3) ? [hint, hint] : [hint]));
        window = [];
        while (hints.length > 0) onHint(hints.splice(chance.int(hints.length), 1)[0]!);
        clock.after(WINDOW_MS, flush);
      };
      clock.after(WINDOW_MS, flush);
      return bus.listen((hint) => void window.push(hint), onGap);
    },
  };
}

test.each([1, 2, 3, 4, 5])(
  '[F11] [L12] hints of ten seconds in an order of chance, some twice, some never (seed %i): every reader sees the log’s own beginning, all of it within a poll',
  async (seed) => {
    const { anotherNode, open, clock, ana, ben, conversationId, messageId, row } = await startTestNode();
    const other = await anotherNode((bus) => shuffle(bus, clock, makeChance(seed)));
    const writer = await open(ana, `${conversationId}/1`);
    const reader = await open(ben, `${conversationId}/1`, { on: other });
    const list = makeCarrier(other, ben);
    list.say({ hello: { version: PROTOCOL_VERSION, cursor: null } });
    const seqsInList: number[] = [];
    let sent = 0;
    let lag = 0;
    for (let i = 0; i < 60; i++) {
      writer.change((doc) => addMessage(doc, ana, messageId(), [`m${i}`, null, null]));
      sent++;
      for (let step = 0; step < 4; step++) {
        await clock.advance(125 + ((i * 37 + step * 11 + seed * 101) % 250));
        const log = readLog(reader.doc);
        // Never n + 1 before n.
        expect(log).toEqual(readLog(writer.doc).slice(0, log.length));
        expect(readMessages(reader.doc).map(({ body }) => body)).toEqual(log.map((_, j) => `m${j}`));
        lag = Math.max(lag, sent - log.length);
        seqsInList.push(
          list
            .inbox()
            .flatMap((answer) => ('changed' in answer ? answer.changed : []))
            .at(-1)?.lastMessage?.seq ?? 0,
        );
      }
    }
    await clock.advance(POLL_MS + 1_000);
    await settled();
    expect(readLog(reader.doc)).toEqual([...row().messages.values()].map(({ id }) => id));
    expect(readLog(reader.doc)).toHaveLength(60);
    // A message a second at the least, so that no reader lags by more than a poll.
    expect(lag).toBeGreaterThan(0);
    expect(lag).toBeLessThanOrEqual(POLL_MS / 500 + 1);
    // The list never goes back either.
    expect(seqsInList).toEqual(seqsInList.toSorted((a, b) => a - b));
    expect([writer.closed, reader.closed, list.closed]).toEqual([null, null, null]);
  },
);
