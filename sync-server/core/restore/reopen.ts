import type { RandomBytes } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { ConversationWrite, Locked, UpdateLog } from '../ports.ts';
import { closeSegment, nextSegment } from '../room/roll-over.ts';
import { makeClientId, writeAsServer } from '../room/server-write.ts';

/** More than any conversation can have come to since a backup. */
export const RESTORED_GAP = 1_000_000;

/**
 * Begins a conversation of a restored backup anew (L14): its open segment takes nothing new, the next one begins far behind it, and the
 * server writes the root under another client id. So no seq, and no struct of the server's, that a device holds from after the backup
 * will ever mean something else. Private documents are their owner's alone, and go on.
 */
export async function reopen(log: UpdateLog, conversationId: Uuid, random: RandomBytes): Promise<void> {
  const { conversation } = (await log.read(conversationId, 0, Number.MAX_SAFE_INTEGER)) ?? {};
  if (!conversation || conversation.kind === 'private') return;
  const documents = [
    { n: 0, position: 0 },
    { n: conversation.open, position: Number.MAX_SAFE_INTEGER },
  ];
  await log.transact([{ conversationId, documents, messageIds: [], membersVersion: conversation.membersVersion }], (locked) => {
    const under = locked.get(conversationId);
    // Another node sees to it, too.
    return under?.conversation.open === conversation.open ? beginAnew(under, random) : [];
  });
}

function beginAnew({ conversation, documents }: Locked, random: RandomBytes): ConversationWrite[] {
  const root = documents.get(0);
  const last = documents.get(conversation.open)?.state;
  if (!root || !last) return [];
  const { open, segment, nameIn } = nextSegment(last, random, RESTORED_GAP);
  const named = writeAsServer({ ...root.state, logClient: makeClientId(random), logClock: 0 }, root.rows, nameIn);
  return [
    {
      conversationId: conversation.id,
      seq: segment.state.firstSeq - 1,
      open,
      documents: [closeSegment(last), segment, named],
      snapshot: [],
    },
  ];
}
