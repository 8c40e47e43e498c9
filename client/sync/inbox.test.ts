import { expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { openInbox } from './inbox.ts';
import { makeTestClock, settled } from './test-server.ts';

const id = '019b76da-a800-7275-b8db-acb4534375cb';

const row = (seq: number, lastReadSeq: number): Conversation => ({
  id,
  kind: 'direct',
  title: null,
  members: [],
  lastMessage: seq === 0 ? null : { id: 'AZt22qgAfQ67sTMOoeT68g', seq, senderId: id, preview: 'text', sentAt: new Date(seq).toISOString() },
  unreadCount: seq - lastReadSeq,
  lastReadSeq,
  openSegment: 1,
});
const open = () => openInbox({ read: async () => null, write: async () => {} }, makeTestClock());

test('[V6] an answer that was overtaken changes nothing: neither the last message nor the read position goes back', () => {
  const inbox = open();
  inbox.take({ changed: [row(2, 1)], gone: [], cursor: '1' });
  const before = new Map(inbox.conversations());
  inbox.take({ changed: [row(3, 2)], gone: [], cursor: '2' });
  for (const late of [[row(0, 0)], [row(2, 2)], []]) inbox.takeAll(before, late);
  expect(inbox.conversations().get(id)).toEqual(row(3, 2));
  inbox.takeAll(new Map(inbox.conversations()), [row(4, 2)]);
  expect([inbox.conversations().get(id), inbox.cursor()]).toEqual([row(4, 2), '2']);
});

test('[G1] what the socket tells stands, though it is of less: who was taken out and is back may not read what was', () => {
  const inbox = open();
  inbox.take({ changed: [row(3, 2)], gone: [], cursor: '1' });
  inbox.take({ changed: [row(0, 0)], gone: [], cursor: '2' });
  expect(inbox.conversations().get(id)).toEqual(row(0, 0));
});

test('what left the list comes back as it is told', () => {
  const inbox = open();
  inbox.take({ changed: [row(3, 2)], gone: [], cursor: '1' });
  inbox.take({ changed: [], gone: [id], cursor: '2' });
  inbox.take({ changed: [row(1, 0)], gone: [], cursor: '3' });
  expect(inbox.conversations().get(id)).toEqual(row(1, 0));
});

test('what the device held of a conversation stands over what was begun before it was read: the server will not tell it again', async () => {
  const stored = { cursor: '7', conversations: [row(3, 2)] };
  const inbox = openInbox({ read: async () => stored, write: async () => {} }, makeTestClock());
  inbox.add(row(0, 0));
  await inbox.ready;
  expect([inbox.cursor(), inbox.conversations().get(id)]).toEqual(['7', row(3, 2)]);
});

test('the answer to an opening stands over what was begun here, not over what the server has told, nor over that it is gone', () => {
  const inbox = open();
  inbox.add(row(0, 0));
  inbox.answered(row(0, 0), { ...row(2, 0), unreadCount: 1 });
  expect(inbox.conversations().get(id)?.unreadCount).toBe(1);
  inbox.take({ changed: [row(2, 0)], gone: [], cursor: '1' });
  inbox.answered(row(0, 0), { ...row(2, 0), unreadCount: 1 });
  expect(inbox.conversations().get(id)?.unreadCount).toBe(2);
  inbox.take({ changed: [], gone: [id], cursor: '2' });
  inbox.answered(row(0, 0), row(2, 0));
  expect(inbox.conversations().has(id)).toBe(false);
});

test('[I3] the answer to an acceptance, or to leaving, stands unless the server has told of the conversation since', () => {
  const inbox = open();
  const request = { ...row(1, 0), request: true as const };
  inbox.take({ changed: [request], gone: [], cursor: '1' });
  inbox.answered({ ...request }, row(1, 0));
  expect(inbox.conversations().get(id)).toEqual(row(1, 0));
  inbox.answered(row(1, 0), null);
  expect(inbox.conversations().has(id)).toBe(false);
  // Taken out meanwhile: the answer does not bring it back.
  inbox.answered(request, row(1, 0));
  expect(inbox.conversations().has(id)).toBe(false);
  // Hidden, and then somebody wrote: the answer does not take that away.
  inbox.take({ changed: [row(2, 0)], gone: [], cursor: '2' });
  inbox.answered(row(1, 0), null);
  expect([inbox.conversations().get(id), inbox.cursor()]).toEqual([row(2, 0), '2']);
});

test('[F13] [I2] what a stuck device answers after the server was asked for the whole list does not bring back what has left it', async () => {
  const clock = makeTestClock();
  let answer = (_stored: unknown): void => {};
  const inbox = openInbox({ read: () => new Promise((resolve) => (answer = resolve)), write: async () => {} }, clock);
  for (let i = 0; i < 8; i++) {
    clock.pass(500);
    await settled();
  }
  await inbox.ready;
  expect(inbox.cursor()).toBeNull();
  answer({ cursor: '1', conversations: [row(3, 2)] });
  await settled();
  inbox.take({ changed: [], gone: [], cursor: '2' });
  expect([inbox.conversations().size, inbox.cursor()]).toEqual([0, '2']);
});

test('[I2] what the device held before the server told of anything goes, unless it is in the whole list or is still to be opened', async () => {
  const [kept, begun] = ['019b76da-a800-7275-b8db-acb4534375cc', '019b76da-a800-7275-b8db-acb4534375cd'];
  const conversations = [id, kept, begun].map((one) => ({ ...row(1, 0), id: one }));
  const database = { read: async () => ({ cursor: null, conversations }), write: async () => {} };
  const inbox = openInbox(database, makeTestClock(), (one) => one === begun);
  await inbox.ready;
  expect(inbox.resume()).toBeNull();
  inbox.take({ changed: [{ ...row(1, 0), id: kept }], gone: [], cursor: '1' });
  expect([...inbox.conversations().keys()].toSorted()).toEqual([kept, begun]);
  expect(inbox.resume()).toBe('1');
});

test('[I3] over HTTP what is not in the list any more goes, but nothing that came while it was asked for', () => {
  const other = '019b76da-a800-7275-b8db-acb4534375cc';
  const inbox = open();
  inbox.takeAll(new Map(), [row(1, 0)]);
  const before = new Map(inbox.conversations());
  inbox.add({ ...row(0, 0), id: other });
  inbox.takeAll(before, []);
  expect([...inbox.conversations().keys()]).toEqual([other]);
});
