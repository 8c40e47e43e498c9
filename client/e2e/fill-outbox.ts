import { systemRandom } from '../../shared/clock.ts';
import { type MessageId, makeMessageId } from '../../shared/ids.ts';
import type { Entry } from '../sync/outbox/entry.ts';
import type { Person } from './person.ts';

interface Change {
  put: readonly Entry[];
  remove: readonly string[];
  isTold: boolean;
}

/** Runs in the page. */
async function apply({ put, remove, isTold }: Change): Promise<void> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  const name = names.find((each) => /^homing\/[0-9a-f-]{36}$/.test(each))!;
  const request = indexedDB.open(name);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error!));
  });
  const transaction = database.transaction('outbox', 'readwrite');
  for (const entry of put) transaction.objectStore('outbox').put(entry);
  for (const id of remove) transaction.objectStore('outbox').delete(id);
  await new Promise<void>((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('error', () => reject(transaction.error!));
  });
  database.close();
  if (!isTold) return;
  const channel = new BroadcastChannel(name);
  channel.postMessage({ outbox: [...put.map(({ id }) => id), ...remove] });
  channel.close();
}

/** Changes somebody's outbox as another tab of theirs would, and tells the tabs. */
export const changeOutbox = ({ page }: Person, change: Partial<Omit<Change, 'isTold'>>): Promise<void> =>
  page.evaluate(apply, { put: [], remove: [], ...change, isTold: true });

/** Puts messages into somebody's outbox, as their composer would have done one by one; a page that is loaded next sends them. */
export async function fillOutbox({ page }: Person, conversationId: string, texts: readonly string[]): Promise<MessageId[]> {
  const at = Date.now();
  const put = texts.map((text, i): Entry => {
    const messageId = makeMessageId(at + i, systemRandom);
    const common = { id: `m:${messageId}`, conversationId, order: 1e15 + i, at, state: { kind: 'waiting' } } as const;
    return { ...common, kind: 'message', messageId, value: [text, null, null], placed: false };
  });
  await page.evaluate(apply, { put, remove: [], isTold: false });
  return put.flatMap((entry) => (entry.kind === 'message' ? entry.messageId : []));
}
