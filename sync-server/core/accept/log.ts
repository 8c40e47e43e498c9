import * as Y from 'yjs';
import { LATE_AFTER_MS } from '../../../shared/limits.ts';
import { type MessageId, messageTime } from '../../../shared/ids.ts';
import { LOG, readLogElement } from '../../../shared/segment.ts';
import { type Id, type Plain, itemsOf } from './stored.ts';

/** The ids that the committed log names. One pass over the log. */
export function loggedIds(doc: Y.Doc): ReadonlySet<MessageId> {
  const ids = new Set<MessageId>();
  for (const { content } of itemsOf(doc.share.get(LOG))) {
    if (!(content instanceof Y.ContentAny)) continue;
    for (const element of content.arr) {
      const logged = readLogElement(element);
      if (logged) ids.add(logged.id);
    }
  }
  return ids;
}

/** The log's last element, after which new ones are written; null while it is empty. */
export const lastOfLog = (doc: Y.Doc): Id | null => itemsOf(doc.share.get(LOG)).at(-1)?.lastId ?? null;

/** A message's element of the log (D5): its id, with the time of acceptance where that is far from the time of writing. */
export const logElement = (id: MessageId, now: number): Plain => (Math.abs(now - messageTime(id)) > LATE_AFTER_MS ? [id, now] : id);
