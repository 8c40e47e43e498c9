import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { systemRandom } from '../../shared/clock.ts';
import { type MessageId, makeMessageId } from '../../shared/ids.ts';
import { MESSAGE, SYNC, encodeUpdate } from '../../shared/protocol.ts';

export const newId = (): MessageId => makeMessageId(Date.now(), systemRandom);

/** The one update that `write` makes in a document: as a fresh one, or in `doc`. */
export function updateOf(write: (doc: Y.Doc) => void, doc = new Y.Doc()): Uint8Array {
  const before = Y.encodeStateVector(doc);
  doc.transact(() => write(doc));
  return Y.encodeStateAsUpdate(doc, before);
}

/** The same as a frame. */
export const frameOf = (write: (doc: Y.Doc) => void, doc?: Y.Doc): Uint8Array => encodeUpdate(updateOf(write, doc));

/** Type of a frame, and of what is in it where that is sync. */
export function readKind(frame: Uint8Array): string {
  const decoder = decoding.createDecoder(frame);
  const type = decoding.readVarUint(decoder);
  if (type !== MESSAGE.sync) return Object.entries(MESSAGE).find(([, value]) => value === type)?.[0] ?? String(type);
  const sync = decoding.readVarUint(decoder);
  return Object.entries(SYNC).find(([, value]) => value === sync)?.[0] ?? String(sync);
}
