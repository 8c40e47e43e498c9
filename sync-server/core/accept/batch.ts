import * as Y from 'yjs';
import { LIMITS } from '../../../shared/limits.ts';
import type { Neutralised, Refusal } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { ClientClock, Told } from '../../../shared/protocol.ts';
import { LOG, type MessageValue } from '../../../shared/segment.ts';
import type { Claim, DocumentState, SnapshotChange } from '../ports.ts';
import { type Whose, admit } from './admit.ts';
import type { DecodedUpdate } from './decode.ts';
import { type EncodableStruct, encodable, encodeUpdate } from './encode.ts';
import type { BatchInput } from './input.ts';
import { type Decided, makeJudge, strike } from './judge.ts';
import { lastOfLog, logElement } from './log.ts';
import { makeOverlay } from './overlay.ts';
import { snapshotOf } from './snapshot.ts';
import type { Plain } from './stored.ts';

export type { BatchInput } from './input.ts';

/** What became of a frame. */
export type Verdict =
  /** Something of it goes into the commit; `committed` and `told` may be sent when that is done. */
  | { kind: 'accepted'; committed: ClientClock[]; told: Told[] }
  /** Nothing new (L8). `committed` counts on this batch where it repeats a frame of this batch. */
  | { kind: 'known'; committed: ClientClock[] }
  /** It builds on what the server lacks (A3): dropped. */
  | { kind: 'ahead' }
  | { kind: 'refused'; reason: Refusal };

export type Posted = { kind: 'sent'; created: boolean } | { kind: 'neutralised'; code: Neutralised };

/** One document's part of a commit. */
export interface BuiltDocument {
  /** Accepted structs, the log's new elements and the server's deletions. */
  update: Uint8Array;
  /** The row after the commit; `closed` as it was. */
  state: DocumentState;
  claims: Claim[];
  snapshot: SnapshotChange[];
  /** Text was deleted: the document asks for compaction. */
  deleted: boolean;
  /** No room for new messages any more (D4). */
  full: boolean;
}

export interface Batch {
  /** Judges a member's frame, in its turn. What is refused or ahead has changed nothing (A9). */
  accept(writer: Uuid, update: DecodedUpdate): Verdict;
  /** Writes a message into somebody's lane in the server's name. `usedIds` must answer for its id. */
  post(writer: Uuid, id: MessageId, value: MessageValue): Posted;
  /** The document's one update (L5); null when there is nothing to write. */
  build(): BuiltDocument | null;
}

/** Opens one document's part of a batch: frames are judged in order against the live document and what the batch has accepted so far (L4). */
export function openBatch(input: BatchInput): Batch {
  const { kind, doc, state, claims: committedClaims, now } = input;
  const { logClient } = state;
  const overlay = makeOverlay(doc);
  const decided: Decided = { logged: new Map(), deletes: [], claims: new Map() };
  const judge = makeJudge(input, overlay, decided);

  const whoseFor =
    (writer: Uuid): Whose =>
    (client) => {
      const owner = committedClaims.get(client) ?? decided.claims.get(client);
      if (owner !== undefined) return owner === writer ? 'own' : 'foreign';
      // What the document holds and nobody claimed is the server's.
      return doc.store.clients.has(client) ? 'foreign' : 'new';
    };

  /** What of this document is the writer's. */
  const countOf = (writer: Uuid) => (): { clients: number; structs: number } => {
    const count = { clients: 0, structs: 0 };
    for (const claims of [committedClaims, decided.claims]) {
      for (const [client, owner] of claims) {
        if (owner !== writer) continue;
        count.clients++;
        count.structs += overlay.structs(client);
      }
    }
    return count;
  };

  /** The clock of the server's next struct; row and document must agree on it. */
  function serverClock(): number {
    if (Y.getState(doc.store, logClient) !== state.logClock) throw new Error('the document does not hold what its row says');
    return overlay.clock(logClient);
  }

  function accept(writer: Uuid, update: DecodedUpdate): Verdict {
    const admission = admit({
      overlay,
      kind,
      whose: whoseFor(writer),
      logClient,
      logClock: state.logClock,
      writer,
      update,
      claimed: () => committedClaims.size + decided.claims.size,
      countOwn: countOf(writer),
    });
    if (admission.kind !== 'placed') return admission;
    const { entries, committed, claims } = admission;
    for (const client of claims) decided.claims.set(client, writer);
    const told: Told[] = [];
    for (const entry of entries) {
      const code = judge.judge(writer, entry, update.messageIds);
      if (code === null) continue;
      strike(entry);
      told.push({ client: entry.client, clock: entry.clock, code });
    }
    overlay.keep();
    return entries.length === 0 ? { kind: 'known', committed } : { kind: 'accepted', committed, told };
  }

  function post(writer: Uuid, id: MessageId, value: MessageValue): Posted {
    const content: unknown = value;
    if (kind !== 'segment' || !Array.isArray(content)) throw new TypeError('only messages are posted, and only to segments');
    const slot = overlay.slot(overlay.lane(writer), id);
    const fate = judge.fate(slot);
    if (fate === 'alive') return { kind: 'sent', created: false };
    const code = fate === 'dead' ? 'removed' : judge.refusal(writer, slot);
    if (code) return { kind: 'neutralised', code };
    const origin = slot.last && { client: slot.last.client, clock: slot.last.clock + slot.last.length - 1 };
    const meaning = { kind: 'message', id, value } as const;
    const place = { client: logClient, clock: serverClock(), length: 1, origin, key: id, slot };
    overlay.place({ ...place, value: content, meaning, deleted: false, isFollowed: false }, slot.last);
    overlay.keep();
    judge.log(slot);
    return { kind: 'sent', created: true };
  }

  function logStruct(): EncodableStruct {
    const values: Plain[] = [];
    for (const id of decided.logged.keys()) values.push(logElement(id, now));
    return { client: logClient, clock: serverClock(), length: values.length, origin: lastOfLog(doc), root: LOG, key: null, values };
  }

  /** D4; a private document also where its owner's structs, which no compaction takes away, come near to what one person may have. */
  function isFull({ messages, bytes, clients }: DocumentState): boolean {
    if (messages >= LIMITS.segmentMessages || bytes >= LIMITS.segmentBytes || clients >= LIMITS.segmentClients) return true;
    if (kind !== 'user') return false;
    let structs = 0;
    for (const client of doc.store.clients.keys()) structs += overlay.structs(client);
    return structs >= LIMITS.personStructs / 2;
  }

  function build(): BuiltDocument | null {
    if (overlay.accepted.size === 0) return null;
    const structs: EncodableStruct[] = [];
    const deleted = [...decided.deletes];
    for (const entries of overlay.accepted.values()) {
      for (const entry of entries) {
        structs.push(encodable(entry));
        if (entry.deleted) deleted.push(entry);
      }
    }
    const messages = decided.logged.size;
    if (messages > 0) structs.push(logStruct());
    const update = encodeUpdate(structs, deleted);
    const snapshot = kind === 'segment' ? snapshotOf(input, overlay, decided, judge) : [];
    // Spelt out: a copy with changes costs as much as all the encoding.
    const after: DocumentState = {
      n: state.n,
      position: state.position + 1,
      firstSeq: state.firstSeq,
      logClient,
      logClock: overlay.clock(logClient) + messages,
      messages: state.messages + messages,
      bytes: state.bytes + update.length,
      clients: state.clients + decided.claims.size,
      closed: state.closed,
    };
    const claims: Claim[] = [];
    for (const [client, userId] of decided.claims) claims.push({ client, userId });
    return {
      update,
      state: after,
      claims,
      snapshot,
      deleted: snapshot.some((change) => change.kind === 'deletion'),
      full: isFull(after),
    };
  }

  return { accept, post, build };
}
