import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import type { ConversationReplica } from './conversation-replica.ts';
import { startCore } from './test-core.ts';
import { type TestDevice, openDevice, soon, untilQuiet } from './test-device.ts';

const devices: TestDevice[] = [];
afterEach(() => devices.splice(0).forEach(({ close }) => close()));

/** Ben has written 'text' into the first segment of a group; the line broke before it arrived (`isLost`), or before he heard that it had. */
async function cutWhileWriting({ isLost }: { isLost: boolean }) {
  const core = await startCore(systemClock);
  const { ana, ben, node } = core.world;
  const { conversationId } = await node.messaging.openGroup(ana, 'Choir', [ben], { history: 'joined' });
  await node.messaging.members.accept(ben, conversationId);
  await node.messaging.send(ana, conversationId, core.world.messageId(), ['first', null, null]);
  const device = openDevice(core, ben);
  devices.push(device);
  const replica = device.conversations.open(conversationId);
  await expect.poll(() => replica.status().kind, soon).toBe('live');
  core.refuseBy(() => {
    core.refuseBy(() => null);
    if (isLost) core.cut();
    else setImmediate(core.cut);
    return null;
  });
  replica.send('text');
  await expect.poll(core.isUp, soon).toBe(false);
  if (!isLost) await expect.poll(() => core.history(conversationId), soon).toEqual(['first', 'text']);
  const { messageId } = replica.pending()[0]!;

  /** Ana takes him out and brings him back, which begins another segment; then his line is back. */
  async function comeBack(): Promise<void> {
    expect(await node.messaging.members.remove(ana, conversationId, ben)).toBe('done');
    expect(await node.messaging.members.put(ana, conversationId, { userId: ben, role: undefined })).toBe('done');
    core.heal();
    await untilQuiet(device);
  }
  const history = (): (string | null)[] => core.history(conversationId);
  return { core, device, replica, messageId, comeBack, history, logs: () => core.logs(conversationId) };
}

const bodies = (replica: ConversationReplica): (string | null)[] => replica.messages().map(({ body }) => body);

describe('[D4] [C6.3] who was taken out and brought back while what they wrote was on its way', () => {
  test('has it in the new segment when it was lost with the line', async () => {
    const { device, replica, comeBack, history, logs } = await cutWhileWriting({ isLost: true });
    await comeBack();
    expect([history(), logs(), device.outbox.entries()]).toEqual([['first', 'text'], [1, 1], []]);
    await expect.poll(() => bodies(replica), soon).toEqual(['first', 'text']);
  });

  test('has it with the changes that were made meanwhile', async () => {
    const { device, replica, messageId, comeBack, history } = await cutWhileWriting({ isLost: true });
    replica.edit(messageId, 'better');
    await comeBack();
    expect([history(), device.outbox.entries()]).toEqual([['first', 'better'], []]);
  });

  test('has it once when it had arrived', async () => {
    const { device, comeBack, history, logs } = await cutWhileWriting({ isLost: false });
    await comeBack();
    expect([history(), logs(), device.outbox.entries()]).toEqual([['first', 'text'], [2, 0], []]);
  });

  test('is not sent what they took back, and may do so twice; an edit of it fails with a word', async () => {
    const { device, replica, messageId, comeBack, history } = await cutWhileWriting({ isLost: true });
    replica.remove(messageId);
    await comeBack();
    expect([history(), device.outbox.entries()]).toEqual([['first'], []]);
    // As in a tab that still shows it.
    replica.remove(messageId);
    await untilQuiet(device);
    expect(device.outbox.entries()).toEqual([]);
    replica.edit(messageId, 'better');
    await untilQuiet(device);
    expect([history(), device.outbox.entries().map(({ state }) => state)]).toEqual([['first'], [{ kind: 'failed', code: 'gone' }]]);
  });

  test('is told that what had arrived cannot be taken back any more', async () => {
    const { device, replica, messageId, comeBack, history } = await cutWhileWriting({ isLost: false });
    replica.remove(messageId);
    await comeBack();
    expect(history()).toEqual(['first', 'text']);
    expect(device.outbox.entries()).toMatchObject([{ kind: 'delete', messageId, state: { kind: 'failed', code: 'refused' } }]);
  });
});
