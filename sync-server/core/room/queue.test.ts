import { expect, test } from 'vitest';
import { LIMITS } from '../../../shared/limits.ts';
import { makeWorkQueue } from './queue.ts';
import type { Watcher, Work } from './work.ts';

const frame = (userId: string, bytes: number): Work => ({
  kind: 'frame',
  from: { userId, acks: true, send() {}, sendLive() {}, end() {}, judged() {} } satisfies Watcher,
  update: new Uint8Array(bytes),
});
const post = (writer: string, length: number): Work => ({
  kind: 'post',
  writer,
  id: 'AZt22qgydBa_HO03_2gW8w',
  value: ['x'.repeat(length), null, null],
  done() {},
});
const WHOLE = { works: Infinity, bytes: Infinity };

test('[L1] it is left in order of arrival, and what is put back comes first', () => {
  const queue = makeWorkQueue();
  const works = [frame('ana', 1), post('ben', 2), frame('ana', 3)];
  for (const work of works) expect(queue.add(work)).toBe(true);
  const taken = queue.take(2, { ...WHOLE });
  expect([taken, queue.length]).toEqual([works.slice(0, 2), 1]);
  queue.putBack(taken);
  expect([queue.takeAll(), queue.length]).toEqual([works, 0]);
});

test('[L1] one person fills a quarter of it, in frames or in bytes, with posts too; the others find room', () => {
  for (const size of [1, LIMITS.update]) {
    const queue = makeWorkQueue();
    let added = 0;
    while (queue.add(added % 2 === 0 ? frame('ana', size) : post('ana', size))) added++;
    expect(added).toBe(Math.min(LIMITS.queueWorks, LIMITS.queueBytes / size) / LIMITS.queueShares);
    expect(queue.add(frame('ben', size))).toBe(true);
    queue.take(1, { ...WHOLE });
    expect([queue.add(frame('ana', size)), queue.add(frame('ana', size))]).toEqual([true, false]);
  }
});

test('[L1] many people fill it, and no further', () => {
  const queue = makeWorkQueue();
  let added = 0;
  while (queue.add(frame(`user ${added % 100}`, LIMITS.update))) added++;
  expect(added).toBe(LIMITS.queueBytes / LIMITS.update);
  expect(queue.hasRoomFor('nobody yet', 1)).toBe(false);
  expect(queue.takeAll()).toHaveLength(added);
  expect(queue.hasRoomFor('nobody yet', 1)).toBe(true);
});

test('[L1] the queues of a node fill it together, and no further; what is taken makes room again', () => {
  const node = { works: 0, bytes: 0 };
  const queues = Array.from({ length: 40 }, () => makeWorkQueue(node));
  let added = 0;
  for (const queue of queues) while (queue.add(frame(`user ${added % 100}`, LIMITS.update))) added++;
  expect(added).toBe(LIMITS.nodeQueueBytes / LIMITS.update);
  expect(queues.at(-1)!.hasRoomFor('anybody', 1)).toBe(false);
  queues[0]!.takeAll();
  expect(queues.at(-1)!.add(frame('anybody', 1))).toBe(true);
});
