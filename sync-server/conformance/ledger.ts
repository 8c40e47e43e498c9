import type { Message } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

/** One message as its writer meant it. */
export interface Written {
  id: MessageId;
  conversationId: Uuid;
  writer: string;
  body: string;
}

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
  /** Everything that contradicts what was told, in words. `history` is the whole conversation, as Postgres has it. */
  audit(conversationId: Uuid, history: readonly Message[]): string[];
}

export function makeLedger(): Ledger {
  const messages = new Map<MessageId, Written>();
  const acked = new Set<MessageId>();
  const seqs = new Map<MessageId, number>();
  const places = new Map<string, MessageId>();
  const wrong: string[] = [];

  const inConversation = (conversationId: Uuid): Written[] => [...messages.values()].filter((one) => one.conversationId === conversationId);

  function orderOf(writers: ReadonlyMap<string, readonly string[]>, history: readonly Message[]): string[] {
    return [...writers].flatMap(([writer, ids]) => {
      const found = history.map(({ id }) => id).filter((id) => messages.get(id)?.writer === writer);
      const at = ids.findIndex((id, i) => id !== found[i]);
      return at === -1 ? [] : [`${writer}: in place ${at} stands ${found[at]}, not ${ids[at]}`];
    });
  }

  return {
    written: (message) => void messages.set(message.id, message),
    acknowledged: (id) => void acked.add(id),
    shown(conversationId, id, seq) {
      const place = `${conversationId} ${seq}`;
      const [other, before] = [places.get(place), seqs.get(id)];
      if (other !== undefined && other !== id) wrong.push(`${place} was ${other}, then ${id}`);
      if (before !== undefined && before !== seq) wrong.push(`${id} had seq ${before}, then ${seq}`);
      places.set(place, id);
      seqs.set(id, seq);
    },
    counts: () => ({ written: messages.size, acknowledged: acked.size, shown: seqs.size }),
    audit(conversationId, history) {
      const expected = inConversation(conversationId);
      const stored = new Map(history.map((message) => [message.id, message]));
      const found = [...wrong];
      if (stored.size !== history.length) found.push(`${history.length - stored.size} messages stand twice in the history`);
      history.forEach(({ id, seq, content }, i) => {
        if (seq !== i + 1) found.push(`seq ${seq} in place ${i + 1}`);
        if (messages.get(id)?.body !== content) found.push(`${id} says ${content}`);
        if (seqs.get(id) !== seq) found.push(`${id} has seq ${seq}, shown ${seqs.get(id)}`);
      });
      for (const { id, writer, body } of expected)
        if (!stored.has(id))
          found.push(`${writer}'s ${body} is missing${acked.has(id) || seqs.has(id) ? ', though it was shown as sent' : ''}`);
      const writers = new Map<string, string[]>();
      for (const { writer, id } of expected) writers.set(writer, [...(writers.get(writer) ?? []), id]);
      return [...found, ...orderOf(writers, history)];
    },
  };
}
