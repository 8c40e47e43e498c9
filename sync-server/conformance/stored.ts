import postgres from 'postgres';
import { vi, expect } from 'vitest';
import type { Message } from '../../shared/api.ts';
import { readRoot } from '../../shared/conversation.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import { readLog } from '../../shared/segment.ts';
import { openReplica } from './replica.ts';
import type { Server } from './server-process.ts';

const PATIENCE = { timeout: 90_000, interval: 20 };

/** The conversation's messages as Postgres has them. */
export async function storedMessages(url: string, conversationId: Uuid): Promise<Pick<Message, 'id' | 'seq' | 'content'>[]> {
  const sql = postgres(url, { max: 1, types: { int8: { to: 20, from: [20], serialize: String, parse: Number } } });
  try {
    return await sql<{ id: MessageId; seq: number; content: string }[]>`
      select id, seq, body as content from messages where conversation_id = ${conversationId} order by seq`;
  } finally {
    await sql.end();
  }
}

/** The logs of all segments, one after the other, as a client reads them that has seen nothing before. */
export async function freshLog(
  at: Pick<Server, 'syncUrl'>,
  reader: { token: string; id: Uuid },
  conversationId: Uuid,
): Promise<MessageId[]> {
  const root = openReplica(at, reader, conversationId);
  await vi.waitFor(() => expect(readRoot(root.doc)).not.toBeNull(), PATIENCE);
  const { open } = readRoot(root.doc)!;
  root.close();
  const log: MessageId[] = [];
  for (let n = 1; n <= open; n++) {
    const segment = openReplica(at, reader, `${conversationId}/${n}`);
    await vi.waitFor(() => expect(segment.provider.synced).toBe(true), PATIENCE);
    log.push(...readLog(segment.doc));
    segment.close();
  }
  return log;
}
