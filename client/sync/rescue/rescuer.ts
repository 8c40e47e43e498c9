import { CLOSE } from '../../../shared/close-codes.ts';
import type { Root } from '../../../shared/conversation.ts';
import { type Uuid, formatDocumentId } from '../../../shared/ids.ts';
import { messageKey } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReplicaStatus } from '../replica.ts';
import type { SegmentReplica } from '../segment-replica.ts';
import type { OwnEntry } from './own-entries.ts';
import type { Rescues } from './rescues.ts';

interface Options {
  id: Uuid;
  me: Uuid;
  outbox: Outbox;
  rescues: Rescues;
  root: { status: () => ReplicaStatus; content: () => Root | null } | null;
  segments: ReadonlyMap<number, SegmentReplica>;
  /** Asks for a segment that is not open here. */
  want: (n: number) => void;
  /** Lets go of segments that the server does not have, or (null) of the whole conversation, with their copies. */
  forget: (ns: readonly number[] | null) => void;
}

/** Brings back what this person had sent to a server that went back to a backup (L14). */
export interface Rescuer {
  look: () => void;
  /** It is not known yet what comes first: what was written later waits. */
  isBusy: () => boolean;
}

const isNotFound = (status: ReplicaStatus): boolean => status.kind === 'ended' && status.code === CLOSE.notFound.code;

/**
 * What stood in a copy that was refused is compared with what the server now holds; of own messages, what it lacks goes through the
 * outbox again, under the same ids, so that it arrives once whoever else brings it. Segments, and whole conversations, that the server has
 * never heard of since count as lacking all of it.
 */
export function makeRescuer(look: () => Options): Rescuer {
  const documentId = (n: number): string => formatDocumentId({ kind: 'segment', conversationId: look().id, n });

  /** `home`: the segment as the server has it; null: it has none. */
  function bringBack(n: number, entries: readonly OwnEntry[], home: SegmentReplica | null): void {
    const { id, outbox, rescues } = look();
    const lacking = entries.filter((entry) => !home?.holds(entry));
    const messages = lacking.filter(({ messageId }) => !home?.isLogged(messageId));
    outbox.offer(
      id,
      messages.flatMap(({ messageId, value }) => (value === 0 ? [] : [{ messageId, value }])),
    );
    for (const { messageId, value } of lacking) {
      const now = home?.isLogged(messageId) ? home.own(messageId)?.value : null;
      if (!now) continue;
      if (value === 0) outbox.remove(id, messageId, n);
      else if (value[0] !== now[0]) outbox.edit(id, messageId, n, value[0]);
    }
    outbox.claim([], () => outbox.status() === 'kept' && rescues.done(documentId(n)));
  }

  function bringBackAll(root: Root, segments: readonly SegmentReplica[]): void {
    const { id, me, outbox, rescues } = look();
    const other = root.kind === 'direct' ? [...root.members.keys()].find((userId) => userId !== me) : undefined;
    const entries = segments.map((segment) => [segment.n, [...rescues.take(documentId(segment.n)), ...segment.ownEntries()]] as const);
    const ids = entries.flatMap(([, own]) => own.flatMap(({ messageId, value }) => (value === 0 ? [] : [messageKey(messageId)])));
    if (other !== undefined && ids.length > 0) outbox.open(id, other);
    for (const [n, own] of entries) bringBack(n, own, null);
    if (other === undefined && ids.length > 0) outbox.fail(ids, 'lost');
  }

  return {
    look() {
      const { id, rescues, root, segments, want, forget } = look();
      const content = root?.content();
      if (!root || !content) return;
      const inOrder = [...segments.values()].sort((a, b) => a.n - b.n);
      if (isNotFound(root.status())) {
        bringBackAll(content, inOrder);
        return forget(null);
      }
      const isLive = root.status().kind === 'live';
      const lost = inOrder.filter(({ n, status }) => isLive && n > content.open && isNotFound(status()));
      for (const segment of lost) bringBack(segment.n, [...rescues.take(documentId(segment.n)), ...segment.ownEntries()], null);
      if (lost.length > 0) forget(lost.map(({ n }) => n));
      for (const kept of [...rescues.documents()]) {
        const [conversationId, n] = kept.split('/') as [string, string];
        if (conversationId !== id) continue;
        const segment = segments.get(Number(n));
        if (segment?.status().kind === 'live') bringBack(segment.n, rescues.take(kept), segment);
        else if (!segment && isLive) want(Number(n));
      }
    },
    isBusy() {
      const { rescues, segments } = look();
      return [...segments.values()].some(({ n, status }) => status().kind === 'connecting' && rescues.of(documentId(n)).length > 0);
    },
  };
}
