import * as Y from 'yjs';
import { LATE_AFTER_MS } from '../../../shared/limits.ts';
import { type MessageId, messageTime } from '../../../shared/ids.ts';
import { LOG } from '../../../shared/segment.ts';
import { type Id, type Plain, itemsOf } from './stored.ts';

const names = (element: unknown, id: MessageId): boolean => element === id || (Array.isArray(element) && element[0] === id);

/** Whether the committed log names a message. One pass over the log: only for keys that hold nothing but tombstones. */
export const isLogged = (doc: Y.Doc, id: MessageId): boolean =>
  itemsOf(doc.share.get(LOG)).some(({ content }) => content instanceof Y.ContentAny && content.arr.some((element) => names(element, id)));

/** The log's last element, after which new ones are written; null while it is empty. */
export const lastOfLog = (doc: Y.Doc): Id | null => itemsOf(doc.share.get(LOG)).at(-1)?.lastId ?? null;

/** A message's element of the log (D5): its id, with the time of acceptance where that is far from the time of writing. */
export const logElement = (id: MessageId, now: number): Plain => (Math.abs(now - messageTime(id)) > LATE_AFTER_MS ? [id, now] : id);
