import * as Y from 'yjs';
import { decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { type Uuid, formatDocumentId, makeMessageId } from '../../../shared/ids.ts';
import { encodeAwareness, encodeStep1, encodeUpdate } from '../../../shared/protocol.ts';
import { LOG, addMessage, deleteMessage, laneName } from '../../../shared/segment.ts';
import type { MemoryStore } from '../../memory/store.ts';
import { makePlace } from './browser/place.ts';
import { type Link, openLink } from './browser/link.ts';
import type { Chance } from './chance.ts';
import type { Ledger } from './oracle/ledger.ts';
import type { Rights } from './oracle/rights.ts';
import type { Scheduler } from './scheduler.ts';
import type { NodeProcess } from './server/node-process.ts';

/** Somebody with a hand-made client: a member who does what no client does, and one who belongs nowhere. */
export interface Hostile {
  /** The one who belongs to the groups, in a world that has such people. */
  readonly member: Uuid;
  readonly isMember: boolean;
  /** One attack. */
  act(much: number): void;
  leave(): void;
}

const OVERHEARD = 30;
/** Characters of an id. */
const UUID = 36;

export function makeHostile(deps: {
  scheduler: Scheduler;
  chance: Chance;
  store: MemoryStore;
  ledger: Ledger;
  rights: Rights;
  reached: Set<string>;
  isMember: boolean;
  aNode: () => NodeProcess | null;
  member: Uuid;
  outsider: Uuid;
  groups: readonly Uuid[];
}): Hostile {
  const { scheduler, chance, store, ledger, rights, reached, aNode, member, outsider, groups } = deps;
  const overheard: Uint8Array[] = [];
  const place = makePlace(scheduler);
  let links: Link[] = [];
  let texts = 0;

  /** What was heard is said again in another way. An id that is not committed yet nobody else can know. */
  function hear(payload: Uint8Array): void {
    if (overheard.length < OVERHEARD) overheard.push(payload);
    else overheard[chance.int(OVERHEARD)] = payload;
  }

  /** What comes after this member's leaving is not for them, whatever their client asks for. */
  function checkHeard(conversationId: Uuid, payload: Uint8Array): void {
    if (!rights.hasBeenOut(member)) return;
    for (const { id, seq, body } of store.conversations.get(conversationId)?.messages.values() ?? [])
      if (body && !rights.mayRead(conversationId, member, seq) && Buffer.from(payload).includes(body))
        ledger.wrong(`[V4] ${id} with seq ${seq} was sent to somebody who had left`);
  }

  /** A socket of its own with one document open; what an outsider is sent of it is a leak. */
  function dial(userId: Uuid, documentId: string): ((payload: Uint8Array) => void) | null {
    const process = aNode();
    if (!process) return null;
    const link = openLink(
      scheduler,
      (socket) => process.node.openChannels({ userId, sid: userId, expiresAt: scheduler.now() + 1e9, socket }),
      {
        place,
        closed: () => reached.add('hostile frame refused'),
        receive(bytes) {
          const frame = decodeChannelFrame(bytes);
          if (frame?.channel !== 1) return;
          if (frame.op === 'data') {
            hear(frame.payload);
            checkHeard(documentId.slice(0, UUID), frame.payload);
          }
          if (frame.op === 'close' && frame.code === 4408) reached.add('hostile frame refused');
          if (userId === outsider && frame.op !== 'close') ledger.wrong(`[V4] somebody who belongs nowhere was sent ${frame.op}`);
        },
      },
    );
    links.push(link);
    const send = (payload: Uint8Array): void => link.send(encodeChannelFrame({ op: 'data', channel: 1, payload }));
    link.send(encodeChannelFrame({ op: 'open', channel: 1, documentId }));
    // Nobody is sent anything who has not asked (W2).
    send(encodeStep1(Uint8Array.of(0)));
    return send;
  }

  function mutate(bytes: Uint8Array): Uint8Array {
    const changed = bytes.slice();
    for (let i = 1 + chance.int(4); i > 0 && changed.length > 0; i--) changed[chance.int(changed.length)] = chance.int(256);
    return chance.happens(0.2) ? changed.subarray(0, chance.int(changed.length + 1)) : changed;
  }

  /** A member knows the document; this is it, with something done to it that is not theirs to do. */
  function forge(conversationId: Uuid, n: number): Uint8Array {
    const row = store.conversations.get(conversationId);
    const doc = new Y.Doc();
    for (const { update } of row?.documents.get(n)?.rows ?? []) Y.applyUpdate(doc, update);
    let before = Y.encodeStateVector(doc);
    const victims = [...(row?.members.keys() ?? [])].filter((id) => id !== member);
    const victim = chance.oneOf(victims) ?? member;
    const target = chance.oneOf([...(row?.messages.values() ?? [])]);
    const id = makeMessageId(scheduler.now(), chance.bytes);
    const text = `hostile-${texts++}-`;
    const tricks: (() => void)[] = [
      () => addMessage(doc, member, id, [text, null, null]),
      () => addMessage(doc, victim, id, [text, null, null]),
      () => doc.getArray(LOG).push([id]),
      () => doc.getArray(LOG).delete(0, Math.min(1, doc.getArray(LOG).length)),
      () => target && addMessage(doc, target.senderId, target.id, [text, null, null]),
      () => target && deleteMessage(doc, target.senderId, target.id),
      () => target && addMessage(doc, member, target.id, [text, null, null]),
      () => target && deleteMessage(doc, member, target.id),
      () => target && doc.getMap(laneName(target.senderId)).delete(target.id),
      () => doc.getMap('meta').set('firstSeq', 7),
      // One good thing and one bad thing in one frame.
      () => {
        addMessage(doc, member, id, [text, null, null]);
        addMessage(doc, victim, makeMessageId(scheduler.now(), chance.bytes), [text, null, null]);
      },
      // It deletes what is its own, and gives it a text again.
      ...Array.from({ length: 4 }, () => () => {
        const own = [...(row?.messages.values() ?? [])].filter(({ senderId }) => senderId === member);
        const last = own.at(-1);
        if (!last) addMessage(doc, member, id, [text, null, null]);
        else if (last.body === null) addMessage(doc, member, last.id, [text, null, null]);
        else deleteMessage(doc, member, last.id);
      }),
      // The second of two things without the first.
      () => {
        addMessage(doc, member, id, [text, null, null]);
        before = Y.encodeStateVector(doc);
        addMessage(doc, member, makeMessageId(scheduler.now(), chance.bytes), [text, null, null]);
      },
      // Writes on under somebody else's client id.
      () => {
        const client = chance.oneOf([...doc.store.clients.keys()]);
        if (client !== undefined) doc.clientID = client;
        addMessage(doc, member, id, [text, null, null]);
      },
      // The same one, ahead of what its owner has come to.
      () => {
        const client = chance.oneOf([...doc.store.clients.keys()]) ?? 1;
        const squat = new Y.Doc();
        squat.clientID = client;
        for (let i = 0; i < 50; i++) addMessage(squat, member, makeMessageId(scheduler.now(), chance.bytes), [text, null, null]);
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(squat));
      },
    ];
    chance.oneOf(tricks)!();
    const update = Y.encodeStateAsUpdate(doc, before);
    doc.destroy();
    return update;
  }

  return {
    member,
    isMember: deps.isMember,
    act(much) {
      const conversationId = chance.oneOf([...groups, ...store.conversations.keys()]);
      if (conversationId === undefined) return;
      const n = much % 5 === 0 ? 0 : (store.conversations.get(conversationId)?.state.open ?? 1);
      const documentId = formatDocumentId(n === 0 ? { kind: 'root', conversationId, n } : { kind: 'segment', conversationId, n });
      const send = dial(chance.happens(0.15) ? outsider : member, documentId);
      if (!send) return;
      for (let i = 1 + (much % 3); i > 0; i--) {
        const heard = chance.oneOf(overheard);
        const dice = chance.int(4);
        if (dice === 0) send(chance.bytes(1 + chance.int(40)));
        else if (dice === 1 && heard) send(chance.happens(0.3) ? heard : mutate(heard));
        else if (dice === 2 && n === 0)
          send(encodeAwareness([{ client: chance.int(2 ** 31), clock: 2 ** 40, state: { typing: true, read: 1e6 } }]));
        else send(encodeUpdate(forge(conversationId, n)));
      }
    },
    leave() {
      for (const link of links) link.cut();
      links = [];
      place.end();
    },
  };
}
