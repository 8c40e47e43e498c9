import * as Y from 'yjs';
import { expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { readRoot } from '../../../shared/conversation.ts';
import { encodeStep1, encodeStep2 } from '../../../shared/protocol.ts';
import { addMessage, editMessage, readMessages } from '../../../shared/segment.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { settled } from '../testing/manual-clock.ts';
import type { Peer } from '../testing/peer.ts';
import { type TestNode, startTestNode } from '../testing/test-node.ts';
import { RESTORED_GAP, reopen } from './reopen.ts';

const REFUSED = { code: CLOSE.refused.code, reason: 'restored' };
const say = (world: TestNode, userId: string, text: string) => (doc: Y.Doc) =>
  addMessage(doc, userId, world.messageId(), [text, null, null]);

/** Puts the conversation back to how `keep` found it, as a restored backup does, on a node that has served nobody yet. */
function backUp({ row, store, clock, anotherNode, node, conversationId }: TestNode) {
  const { lock: _, ...backup } = row();
  const kept = structuredClone(backup);
  return async () => {
    await node.stop();
    Object.assign(row(), kept);
    await reopen(makeMemoryLog(store, { clock }), conversationId, systemRandom);
    return anotherNode();
  };
}

/** A device with this document comes back: what it asks first. */
async function comeBack(peer: Peer, doc: Y.Doc): Promise<Peer['closed']> {
  peer.send(encodeStep1(Y.encodeStateVector(doc)));
  await settled();
  return peer.closed;
}

test('[F21] [L14] a restored conversation goes on in a new segment far behind the last seq, and nothing of it is lost', async () => {
  const world = await startTestNode();
  const { open, ana, ben, conversationId, row } = world;
  const a = await open(ana, `${conversationId}/1`);
  a.change(say(world, ana, 'in the backup'));
  await settled();
  const restore = backUp(world);
  a.change(say(world, ana, 'after it'));
  await settled();
  const on = await restore();
  const root = await open(ben, conversationId, { on });
  expect([...readRoot(root.doc)!.segments]).toEqual([
    [1, 1],
    [2, 2 + RESTORED_GAP],
  ]);
  const old = await open(ben, `${conversationId}/1`, { on });
  old.change(say(world, ben, 'into the old one'));
  const next = await open(ben, `${conversationId}/2`, { on });
  next.change(say(world, ben, 'onwards'));
  await settled();
  expect(old.told.map(({ code }) => code)).toEqual(['closed']);
  expect(readMessages(old.doc).map(({ seq, body }) => [seq, body])).toEqual([[1, 'in the backup']]);
  expect(readMessages(next.doc).map(({ seq, body }) => [seq, body])).toEqual([[2 + RESTORED_GAP, 'onwards']]);
  expect(row().state).toMatchObject({ seq: 2 + RESTORED_GAP, open: 2 });
});

test('[F21] [A2] a root from after the backup is refused, however far the restored one has come since', async () => {
  const world = await startTestNode();
  const { open, ana, ben, node, store, clock } = world;
  const { conversationId } = await node.messaging.openGroup(ana, 'Before', [ben]);
  const device = await open(ana, conversationId);
  const { lock: _, ...backup } = store.conversations.get(conversationId)!;
  const kept = structuredClone(backup);
  await node.messaging.members.describe(ana, conversationId, { title: 'After' });
  await settled();
  expect(readRoot(device.doc)?.title).toBe('After');
  await node.stop();
  Object.assign(store.conversations.get(conversationId)!, kept);
  await reopen(makeMemoryLog(store, { clock }), conversationId, systemRandom);
  const on = await world.anotherNode();
  for (let i = 0; i < 5; i++) await on.messaging.members.describe(ana, conversationId, { title: `Other ${i}` });
  expect(await comeBack(await open(ana, conversationId, { on }), device.doc)).toEqual(REFUSED);
  expect(readRoot((await open(ana, conversationId, { on })).doc)?.title).toBe('Other 4');
});

test('[F21] [A2] who holds another’s change from after the backup is refused; its author brings it back, and then both may stay', async () => {
  const world = await startTestNode();
  const { open, ana, ben, conversationId } = world;
  const [a, b] = [await open(ana, `${conversationId}/1`), await open(ben, `${conversationId}/1`)];
  a.change(say(world, ana, 'first text'));
  await settled();
  const { id } = readMessages(a.doc)[0]!;
  const restore = backUp(world);
  a.change((doc) => void editMessage(doc, ana, id, 'edited after the backup', 5));
  await settled();
  expect(readMessages(b.doc)[0]!.body).toBe('edited after the backup');
  const on = await restore();
  expect(await comeBack(await open(ben, `${conversationId}/1`, { on }), b.doc)).toEqual(REFUSED);
  const author = await open(ana, `${conversationId}/1`, { on });
  expect(await comeBack(author, a.doc)).toBeNull();
  author.send(encodeStep2(Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(author.doc))));
  await settled();
  expect([author.closed, readMessages(author.doc)[0]!.body]).toEqual([null, 'edited after the backup']);
  expect(await comeBack(await open(ben, `${conversationId}/1`, { on }), b.doc)).toBeNull();
});

test('[F21] [A4] a segment from after the backup does not mix with the one that is opened in its place', async () => {
  const world = await startTestNode();
  const { open, ana, ben, node, conversationId, row } = world;
  const restore = backUp(world);
  await reopen(makeMemoryLog(world.store, { clock: world.clock }), conversationId, systemRandom);
  const lost = await open(ana, `${conversationId}/2`);
  lost.change(say(world, ana, 'nobody has this any more'));
  await settled();
  expect(node.counts().sessions).toBe(1);
  const on = await restore();
  const b = await open(ben, `${conversationId}/2`, { on });
  b.change(say(world, ben, 'here now'));
  const back = await open(ana, `${conversationId}/2`, { on });
  back.send(encodeStep2(Y.encodeStateAsUpdate(lost.doc)));
  await settled();
  expect(back.closed?.code).toBe(CLOSE.refused.code);
  expect([...row().messages.values()].map(({ body }) => body)).toEqual(['here now']);
  expect(readMessages((await open(ana, `${conversationId}/2`, { on })).doc).map(({ body }) => body)).toEqual(['here now']);
});

test('[F21] a backup that is put back under a running node costs its rooms their cache, and is told', async () => {
  const world = await startTestNode();
  const { open, ana, conversationId, row } = world;
  const a = await open(ana, `${conversationId}/1`);
  const { lock: _, ...backup } = row();
  const kept = structuredClone(backup);
  a.change(say(world, ana, 'gone'));
  await settled();
  Object.assign(row(), kept);
  a.change(say(world, ana, 'on its way'));
  await settled();
  expect([a.closed?.code, row().messages.size]).toEqual([CLOSE.restart.code, 0]);
});
