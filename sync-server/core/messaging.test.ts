import { describe, expect, test } from 'vitest';
import { directConversationId } from '../../shared/ids.ts';
import { readRoot } from '../../shared/conversation.ts';
import { addMessage, readMessages } from '../../shared/segment.ts';
import { LogUnavailable } from './ports.ts';
import { settled } from './testing/manual-clock.ts';
import { startTestNode } from './testing/test-node.ts';

describe('conversations', () => {
  test('[D2] two people who start at the same time on two nodes get one conversation', async () => {
    const { node, anotherNode, store, open } = await startTestNode();
    const [x, y] = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002'];
    const other = await anotherNode();
    const answers = await Promise.all([node.messaging.openDirect(x, y), other.messaging.openDirect(y, x)]);
    const id = await directConversationId(x, y);
    expect(answers.map(({ conversationId }) => conversationId)).toEqual([id, id]);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect([...store.conversations.get(id)!.documents.keys()]).toEqual([0, 1]);
    const root = readRoot((await open(x, id)).doc)!;
    expect([root.kind, root.open, [...root.members.keys()].sort(), [...root.segments]]).toEqual(['direct', 1, [x, y], [[1, 1]]]);
  });

  test('[D2] a group has its maker as owner and everybody once', async () => {
    const { node, ana, ben, open } = await startTestNode();
    const { conversationId } = await node.messaging.openGroup(ana, 'Trip', [ben, ben, ana]);
    const root = readRoot((await open(ben, conversationId)).doc)!;
    expect([root.title, [...root.members].map(([id, { role }]) => [id, role])]).toEqual([
      'Trip',
      [
        [ana, 'owner'],
        [ben, 'member'],
      ],
    ]);
  });
});

describe('sending for programs', () => {
  test('[H2] the same id twice is one message, and whoever watches sees it', async () => {
    const { node, ana, ben, conversationId, messageId, open } = await startTestNode();
    const b = await open(ben, `${conversationId}/1`);
    const id = messageId();
    expect(await node.messaging.send(ana, conversationId, id, ['hello', null, null])).toEqual({ kind: 'sent', created: true });
    expect(await node.messaging.send(ana, conversationId, id, ['hello', null, null])).toEqual({ kind: 'sent', created: false });
    expect(readMessages(b.doc).map(({ body, authorId, seq }) => [body, authorId, seq])).toEqual([['hello', ana, 1]]);
    expect(await node.messaging.send(ben, conversationId, id, ['mine', null, null])).toEqual({ kind: 'neutralised', code: 'duplicate' });
  });

  test('[H4] who is no member finds no conversation', async () => {
    const { node, conversationId, messageId, row, ana } = await startTestNode();
    const stranger = '00000000-0000-7000-8000-000000000009';
    expect(await node.messaging.send(stranger, conversationId, messageId(), ['hi', null, null])).toEqual({ kind: 'not-found' });
    expect(await node.messaging.send(ana, stranger, messageId(), ['hi', null, null])).toEqual({ kind: 'not-found' });
    expect(row().messages.size).toBe(0);
  });

  test('[D4] it goes into the open segment, also when that closes on the way', async () => {
    const { node, ana, conversationId, messageId, row, open } = await startTestNode();
    const a = await open(ana, `${conversationId}/1`);
    for (let i = 0; i < 499; i++) {
      a.change((doc) => addMessage(doc, ana, messageId(), [`${i}`, null, null]));
      if (i % 50 === 0) await settled();
    }
    await settled();
    const results = await Promise.all(
      [1, 2, 3].map((i) => node.messaging.send(ana, conversationId, messageId(), [`post ${i}`, null, null])),
    );
    expect(results).toEqual(results.map(() => ({ kind: 'sent', created: true })));
    expect([row().state.seq, row().state.open, row().messages.size]).toEqual([502, 2, 502]);
  });

  test('[L9] when the log is away long, nothing is promised and trying again is safe', async () => {
    const { node, ana, conversationId, messageId, faults, row } = await startTestNode();
    const id = messageId();
    faults.push({ moment: 'read', error: new LogUnavailable('down') });
    expect(await node.messaging.send(ana, conversationId, id, ['hello', null, null])).toEqual({ kind: 'unavailable' });
    expect(await node.messaging.send(ana, conversationId, id, ['hello', null, null])).toEqual({ kind: 'sent', created: true });
    expect(row().messages.size).toBe(1);
  });
});

describe('several nodes', () => {
  test('[L12] a commit on one node reaches the sessions of the other, by hint or by poll', async () => {
    const world = await startTestNode();
    const { open, anotherNode, ana, ben, conversationId, messageId, store, clock } = world;
    const a = await open(ana, `${conversationId}/1`);
    const b = await open(ben, `${conversationId}/1`, { on: await anotherNode() });
    a.change((doc) => addMessage(doc, ana, messageId(), ['by hint', null, null]));
    await settled();
    expect(readMessages(b.doc).map(({ body }) => body)).toEqual(['by hint']);
    store.listeners.clear();
    a.change((doc) => addMessage(doc, ana, messageId(), ['by poll', null, null]));
    await settled();
    expect(readMessages(b.doc)).toHaveLength(1);
    await clock.advance(6_000);
    expect(readMessages(b.doc).map(({ body }) => body)).toEqual(['by hint', 'by poll']);
  });

  test('[L3] two nodes that write the same segment at once agree on the order', async () => {
    const world = await startTestNode();
    const { open, anotherNode, ana, ben, conversationId, messageId } = world;
    const a = await open(ana, `${conversationId}/1`);
    const b = await open(ben, `${conversationId}/1`, { on: await anotherNode() });
    for (let i = 0; i < 50; i++) {
      a.change((doc) => addMessage(doc, ana, messageId(), [`a${i}`, null, null]));
      b.change((doc) => addMessage(doc, ben, messageId(), [`b${i}`, null, null]));
      if (i % 5 === 0) await settled();
    }
    await settled();
    const show = (peer: typeof a) => readMessages(peer.doc).map(({ seq, body }) => `${seq} ${body}`);
    expect(show(a)).toHaveLength(100);
    expect(show(b)).toEqual(show(a));
  });
});
