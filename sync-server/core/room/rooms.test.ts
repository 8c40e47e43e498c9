import { describe, expect, test } from 'vitest';
import type { DocumentName, Uuid } from '../../../shared/ids.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { startTestNode } from '../testing/test-node.ts';
import { NotNow, QUARANTINE_MS, makeRooms } from './rooms.ts';

const logger = { info() {}, warn() {}, error() {} };

async function rooms(most: number) {
  const { node, store, clock, ana } = await startTestNode();
  const made = makeRooms({ log: makeMemoryLog(store, { clock }), clock, logger }, most);
  const name = async (): Promise<DocumentName> => {
    const { conversationId }: { conversationId: Uuid } = await node.messaging.openGroup(ana, 'group', []);
    return { kind: 'segment', conversationId, n: 1 };
  };
  return { rooms: made, names: [await name(), await name(), await name()] as const, clock };
}

describe('a node’s rooms', () => {
  test('[R4] are bounded: one more is not now, those that are open are joined, and a closed one makes room', async () => {
    const { rooms: all, names } = await rooms(2);
    const [first, second] = [await all.enter(names[0]), await all.enter(names[1])];
    await expect(all.enter(names[2])).rejects.toBeInstanceOf(NotNow);
    const again = await all.enter(names[0]);
    expect(again?.room).toBe(first?.room);
    for (const hold of [first, again]) hold?.leave();
    expect((await all.enter(names[2]))?.room.id).toBe(`${names[2].conversationId}/1`);
    second?.leave();
    expect([...all.open()]).toHaveLength(1);
  });

  test('[L9] one in quarantine is not now, until its time has come', async () => {
    const { rooms: all, names, clock } = await rooms(2);
    const hold = await all.enter(names[0]);
    all.quarantine(hold!.room);
    await expect(all.enter(names[0])).rejects.toBeInstanceOf(NotNow);
    await clock.advance(QUARANTINE_MS);
    expect(await all.enter(names[0])).not.toBeNull();
  });
});
