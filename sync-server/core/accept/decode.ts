import * as Y from 'yjs';
import { type MessageId, isMessageId } from '../../../shared/ids.ts';
import { type Id, type Plain, storedAt } from './stored.ts';

/** A struct as it came. `other`: what nobody may write (GC, several values in one struct). */
export interface Struct extends Id {
  kind: 'value' | 'tombstone' | 'skip' | 'other';
  length: number;
  origin: Id | null;
  rightOrigin: boolean;
  /** Root type and key, where they are written: with an origin they are those of the origin. */
  root: string | null;
  key: string | null;
  value: Plain;
}

/** The structs of one client id, in order of clock. */
export interface Block {
  client: number;
  structs: Struct[];
}

export interface DecodedUpdate {
  blocks: Block[];
  /** What the update says is deleted, by client id. */
  deletes: ReadonlyMap<number, readonly { clock: number; len: number }[]>;
  /** Ids that may become new messages: to be looked up in the conversation's index, under the lock. */
  messageIds: MessageId[];
  /** Says nothing at all. */
  empty: boolean;
}

const bare = (id: Id, kind: Struct['kind'], length: number): Struct => ({
  client: id.client,
  clock: id.clock,
  kind,
  length,
  origin: null,
  rightOrigin: false,
  root: null,
  key: null,
  value: undefined,
});

function toStruct(struct: Y.Item | Y.GC | Y.Skip): Struct {
  if (struct instanceof Y.Skip) return bare(struct.id, 'skip', struct.length);
  if (!(struct instanceof Y.Item)) return bare(struct.id, 'other', struct.length);
  // Outside of a document Yjs leaves the root's name where the type will stand.
  const root: unknown = struct.parent;
  const { content } = struct;
  return {
    ...bare(struct.id, 'other', struct.length),
    kind:
      content instanceof Y.ContentDeleted ? 'tombstone' : content instanceof Y.ContentAny && content.arr.length === 1 ? 'value' : 'other',
    origin: struct.origin,
    rightOrigin: struct.rightOrigin !== null,
    root: typeof root === 'string' ? root : null,
    key: struct.parentSub,
    value: content instanceof Y.ContentAny ? content.arr[0] : undefined,
  };
}

/** The message id that a struct would write to: by its own words, or by a deleted item of `doc` that it names as its origin. */
function messageIdOf(struct: Struct, doc: Y.Doc | null): MessageId | null {
  if (struct.key !== null) return isMessageId(struct.key) ? struct.key : null;
  if (!struct.origin || !doc || struct.kind !== 'value') return null;
  const origin = storedAt(doc, struct.origin);
  return origin instanceof Y.Item && origin.deleted && origin.parentSub !== null && isMessageId(origin.parentSub) ? origin.parentSub : null;
}

/**
 * Reads an update that `checkUpdate` let pass into plain values. With the live document it also finds the ids of keys that hold nothing
 * but tombstones and are written again; without it such an entry reads as `closed`, because its id was not looked up.
 */
export function decodeUpdate(update: Uint8Array, doc: Y.Doc | null = null): DecodedUpdate {
  const { structs, ds } = Y.decodeUpdate(update);
  const blocks: Block[] = [];
  const ids = new Set<MessageId>();
  for (const item of structs) {
    const struct = toStruct(item);
    const block = blocks.at(-1);
    if (block?.client === struct.client) block.structs.push(struct);
    else blocks.push({ client: struct.client, structs: [struct] });
    const id = messageIdOf(struct, doc);
    if (id !== null) ids.add(id);
  }
  return { blocks, deletes: ds.clients, messageIds: [...ids], empty: blocks.length === 0 && ds.clients.size === 0 };
}
