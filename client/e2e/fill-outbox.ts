import { systemRandom } from '../../shared/clock.ts';
import { type MessageId, makeMessageId } from '../../shared/ids.ts';
import type { Person } from './person.ts';

/** Runs in the page. */
async function put({
  conversationId,
  messages,
}: {
  conversationId: string;
  messages: { messageId: string; text: string }[];
}): Promise<void> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  const name = names.find((each) => /^homing\/[0-9a-f-]{36}$/.test(each))!;
  const request = indexedDB.open(name);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error!));
  });
  const transaction = database.transaction('outbox', 'readwrite');
  messages.forEach(({ messageId, text }, i) => {
    const entry = { id: `m:${messageId}`, conversationId, order: 1e15 + i, at: Date.now(), state: { kind: 'waiting' }, kind: 'message' };
    transaction.objectStore('outbox').put({ ...entry, messageId, value: [text, null, null], placed: false });
  });
  await new Promise<void>((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('error', () => reject(transaction.error!));
  });
  database.close();
}

/** Puts messages into somebody's outbox, as their composer would have done one by one; a page that is loaded next sends them. */
export async function fillOutbox({ page }: Person, conversationId: string, texts: readonly string[]): Promise<MessageId[]> {
  const messages = texts.map((text, i) => ({ messageId: makeMessageId(Date.now() + i, systemRandom), text }));
  await page.evaluate(put, { conversationId, messages });
  return messages.map(({ messageId }) => messageId);
}
