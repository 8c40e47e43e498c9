import { expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { openInbox } from './inbox.ts';
import { openRestoredWatch } from './restored.ts';
import { makeTestClock } from './test-server.ts';

const restore = (at: number) => ({ id: makeUuid(at, systemRandom), at, backTo: at - 1_000 });
const row = (title: string): Conversation => ({
  id: makeUuid(1, systemRandom),
  kind: 'group',
  title,
  members: [],
  lastMessage: null,
  unreadCount: 0,
  lastReadSeq: 0,
  openSegment: 1,
});

/** A device whose disk stays when it starts again. */
async function start(disk = new Map<string, unknown>(), unopened: readonly string[] = []) {
  const database = {
    read: async (name: string) => structuredClone(disk.get(name)) ?? null,
    write: async (name: string, value: unknown) => void disk.set(name, structuredClone(value)),
  };
  const inbox = openInbox(database, makeTestClock(), (id) => unopened.includes(id));
  const watch = openRestoredWatch({ database, inbox, onChange: () => {} });
  await Promise.all([inbox.ready, watch.ready]);
  const titles = (): (string | null)[] =>
    [...inbox.conversations().values()].map(({ title }) => title).toSorted((a, b) => (a! < b! ? -1 : 1));
  return { disk, inbox, watch, titles };
}

test('[F21] [L14] the person is told once of each restore that came while this device knew the server, also after a start', async () => {
  const first = await start();
  first.watch.hear(restore(1));
  expect(first.watch.notice()).toBeNull();
  first.inbox.take({ changed: [row('a')], gone: [], cursor: '1' });
  const second = restore(2);
  first.watch.hear(second);
  expect(first.watch.notice()).toEqual(second);
  const again = await start(first.disk);
  again.watch.hear(second);
  expect(again.watch.notice()).toEqual(second);
  again.watch.dismiss();
  again.watch.hear(second);
  expect([again.watch.notice(), (await start(first.disk)).watch.notice()]).toEqual([null, null]);
  again.watch.hear(undefined);
  expect(again.watch.notice()).toBeNull();
});

test('[F21] [I2] after a restore what the whole list does not name is gone, but for what the server is still to hear of', async () => {
  const [kept, lost, fresh] = [row('kept'), row('lost'), row('not opened yet')];
  const { inbox, watch, titles, disk } = await start(new Map(), [fresh.id]);
  inbox.take({ changed: [kept, lost], gone: [], cursor: '1' });
  inbox.add(fresh);
  watch.hear(restore(1));
  expect([inbox.cursor(), titles()]).toEqual([null, ['kept', 'lost', 'not opened yet']]);
  inbox.take({ changed: [{ ...kept, title: 'as it was' }], gone: [], cursor: null });
  // The line breaks, and this device starts again.
  await new Promise((resolve) => setImmediate(resolve));
  const again = await start(disk, [fresh.id]);
  expect([again.inbox.cursor(), again.titles()]).toEqual([null, ['as it was', 'lost', 'not opened yet']]);
  again.inbox.take({ changed: [], gone: [], cursor: '2' });
  expect(again.titles()).toEqual(['as it was', 'not opened yet']);
  expect(again.inbox.vanished()).toEqual([lost.id]);
  again.inbox.looked(lost.id);
  expect(again.inbox.vanished()).toEqual([]);
});
