import * as Y from 'yjs';
import { addMessage, react } from '../../../shared/segment.ts';
import type { LoadedDocument } from '../ports.ts';
import { type Room, makeRoom } from '../room/room.ts';
import type { Watcher } from '../room/work.ts';
import { ANNA, BERT, CARL, type World, changeOf, makeDevice, makeWorld, messageId, text } from './test-world.ts';

const CONVERSATION = '00000000-0000-7000-8000-0000000000ff';
const people = Array.from({ length: 37 }, (_, i) => `00000000-0000-7000-8000-0000000001${i.toString(16).padStart(2, '0')}`);
/** Messages of the full segment: there is room for a few more. */
const MESSAGES = 480;

/** A segment as full as it gets: 480 messages of 40 people under 440 client ids, reactions to all of them, some 200 KiB. */
export function makeFullWorld(): World {
  const world = makeWorld();
  const authors = [ANNA, BERT, CARL, ...people];
  world.batch((batch) => {
    for (let i = 0; i < MESSAGES - 80; i++) {
      const author = authors[i % authors.length]!;
      const device = new Y.Doc();
      device.clientID = 10_000 + i;
      const change = changeOf(device, () => addMessage(device, author, messageId(i), text(`message ${i} `.repeat(20))));
      batch.accept(author, world.decode(change));
    }
  });
  for (const [i, author] of authors.entries()) {
    const device = makeDevice(world, 20_000 + i);
    const change = changeOf(device, () => {
      for (let n = 0; n < 2; n++) addMessage(device, author, messageId(1_000 + 2 * i + n), text('another message '.repeat(20)));
      for (let n = 0; n < 24; n++) react(device, author, messageId((i * 24 + n) % 400), ['👍', '🎉'].slice(n % 2));
    });
    world.push(author, change);
  }
  return world;
}

/** A room over a world's document, watched by nobody. It is a copy: what is done to it changes no other. */
export function makeRoomOf({ doc, state, claims }: World): Room {
  const loaded: LoadedDocument = {
    conversation: { id: CONVERSATION, kind: 'group', seq: state.messages, open: 1, membersVersion: 1 },
    document: { ...state },
    rows: [{ position: state.position, update: Y.encodeStateAsUpdate(doc) }],
    claims: [...claims].map(([client, userId]) => ({ client, userId })),
    members: [ANNA, BERT, CARL, ...people].map((userId) => ({ userId, role: 'member', since: 0 })),
  };
  const name = { kind: 'segment', conversationId: CONVERSATION, n: 1 } as const;
  return makeRoom(name, loaded);
}

/** Somebody who watches a room and counts the bytes that it is sent. */
export function makeWatcher(userId: string): Watcher & { bytes(): number } {
  let bytes = 0;
  const count = (message: Uint8Array): void => void (bytes += message.byteLength);
  return { userId, acks: true, send: count, sendLive: count, end: () => {}, judged: () => {}, bytes: () => bytes };
}
