import type { Message } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

/** One message as its writer meant it. */
export interface Written {
  id: MessageId;
  conversationId: Uuid;
  writer: string;
  body: string;
}

/** Everything that contradicts what was told, in words, by what is wrong with it. */
export interface Findings {
  /** Not stored, though everybody was told that it is sent. */
  missing: string[];
  doubled: string[];
  outOfOrder: string[];
  /** Stored with another text, or written by nobody. */
  foreign: string[];
}

export const NOTHING_FOUND: Findings = { missing: [], doubled: [], outOfOrder: [], foreign: [] };

/**
 * What clients were told, noted outside of the system at the moment when they were told it. Whatever contradicts what was told before is
 * wrong at once; the rest is compared with the history at the end.
 */
export interface Ledger {
  written(message: Written): void;
  /** An ack covers it, or HTTP said that it is sent. */
  acknowledged(id: MessageId): void;
  /** Somebody's log shows it at this place. */
  shown(conversationId: Uuid, id: MessageId, seq: number): void;
  counts(): { written: number; acknowledged: number; shown: number };
  /** `history` is the whole conversation, as Postgres has it. */
  audit(conversationId: Uuid, history: readonly Pick<Message, 'id' | 'seq' | 'content'>[]): Findings;
}

export function makeLedger(): Ledger {
  const messages = new Map<MessageId, Written>();
  const acked = new Set<MessageId>();
  const seqs = new Map<MessageId, number>();
  const places = new Map<string, MessageId>();
  const atOnce: Pick<Findings, 'doubled' | 'outOfOrder'> = { doubled: [], outOfOrder: [] };

  /** Each writer's messages stand in the order in which they were written. */
  function orderOf(expected: readonly Written[], stored: readonly MessageId[]): string[] {
    const found = new Map<string, MessageId[]>();
    for (const { writer } of expected) found.set(writer, []);
    for (const id of stored) found.get(messages.get(id)?.writer ?? '')?.push(id);
    const places = new Map<string, number>();
    return expected.flatMap(({ id, writer }) => {
      const place = places.get(writer) ?? 0;
      places.set(writer, place + 1);
      const there = found.get(writer)?.[place];
      return there === id || there === undefined ? [] : [`${writer}: in place ${place} stands ${there}, not ${id}`];
    });
  }

  return {
    written: (message) => void messages.set(message.id, message),
    acknowledged: (id) => void acked.add(id),
    shown(conversationId, id, seq) {
      const place = `${conversationId} ${seq}`;
      const [other, before] = [places.get(place), seqs.get(id)];
      if (other !== undefined && other !== id) atOnce.doubled.push(`${place} was ${other}, then ${id}`);
      if (before !== undefined && before !== seq) atOnce.outOfOrder.push(`${id} had seq ${before}, then ${seq}`);
      places.set(place, id);
      seqs.set(id, seq);
    },
    counts: () => ({ written: messages.size, acknowledged: acked.size, shown: seqs.size }),
    audit(conversationId, history) {
      const expected = [...messages.values()].filter((one) => one.conversationId === conversationId);
      const stored = new Set(history.map(({ id }) => id));
      const found: Findings = {
        missing: expected
          .filter(({ id }) => !stored.has(id))
          .map(({ id, writer, body }) => `${writer}'s ${body}${acked.has(id) || seqs.has(id) ? ', which was shown as sent' : ''}`),
        doubled: [...atOnce.doubled],
        outOfOrder: [
          ...atOnce.outOfOrder,
          ...orderOf(
            expected,
            history.map(({ id }) => id),
          ),
        ],
        foreign: [],
      };
      if (stored.size !== history.length) found.doubled.push(`${history.length - stored.size} messages stand twice in the history`);
      history.forEach(({ id, seq, content }, i) => {
        if (seq !== i + 1) found.outOfOrder.push(`seq ${seq} in place ${i + 1}`);
        if (seqs.get(id) !== seq) found.outOfOrder.push(`${id} has seq ${seq}, shown ${seqs.get(id)}`);
        if (messages.get(id)?.body !== content) found.foreign.push(`${id} says ${content}`);
      });
      return found;
    },
  };
}
