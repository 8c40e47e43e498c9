import { expect, test, vi } from 'vitest';
import { anId } from '../core/contracts/contract-examples.ts';
import { type Hint, LogUnavailable } from '../core/ports.ts';
import type { Sql } from './connect.ts';
import { makePostgresBus } from './hint-bus.ts';
import { decodeHint } from './hints.ts';

/** A database whose statements end when the test says so. */
function heldDatabase() {
  const statements: { payloads: string[]; end(error?: Error): void }[] = [];
  const sql = (_: TemplateStringsArray, __: string, payloads: string[]) =>
    new Promise<void>((resolve, reject) => {
      statements.push({ payloads, end: (error) => (error ? reject(error) : resolve()) });
    });
  return { statements, bus: makePostgresBus(sql as unknown as Sql, { info() {}, warn() {}, error() {} }) };
}

const someHint = (): Hint => ({ kind: 'positions', conversationId: anId(), userId: anId(), read: true });

test('[L6] what is published while a statement is under way goes with the next one, all of it, in order', async () => {
  const { bus, statements } = heldDatabase();
  const hints = Array.from({ length: 100 }, someHint);
  const sent = [bus.publish(hints[0]!)];
  await vi.waitFor(() => expect(statements).toHaveLength(1));
  sent.push(...hints.slice(1).map((hint) => bus.publish(hint)));
  statements[0]!.end();
  await vi.waitFor(() => expect(statements).toHaveLength(2));
  statements[1]!.end();
  await Promise.all(sent);
  expect(statements.map(({ payloads }) => payloads.map(decodeHint))).toEqual([hints.slice(0, 1), hints.slice(1)]);
});

test('[L6] a statement that failed fails for those in it, and the next ones go', async () => {
  const { bus, statements } = heldDatabase();
  const first = bus.publish(someHint());
  await vi.waitFor(() => expect(statements).toHaveLength(1));
  const second = bus.publish(someHint());
  statements[0]!.end(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await vi.waitFor(() => expect(statements).toHaveLength(2));
  statements[1]!.end();
  await second;
});

test('[L6] where the database takes nothing only so much waits', async () => {
  const { bus, statements } = heldDatabase();
  const held = [bus.publish(someHint())];
  await vi.waitFor(() => expect(statements).toHaveLength(1));
  held.push(...Array.from({ length: 10_000 }, () => bus.publish(someHint())));
  await expect(bus.publish(someHint())).rejects.toThrow(LogUnavailable);
  statements[0]!.end();
  await vi.waitFor(() => expect(statements).toHaveLength(2));
  expect(statements[1]!.payloads).toHaveLength(10_000);
  statements[1]!.end();
  await Promise.all(held);
});

test('[L6] [F7] a statement that is never answered holds up the next ones for 5 s, and fails', async () => {
  vi.useFakeTimers();
  try {
    const { bus, statements } = heldDatabase();
    const first = bus.publish(someHint());
    await vi.advanceTimersByTimeAsync(0);
    const second = bus.publish(someHint());
    const failed = expect(first).rejects.toThrow(LogUnavailable);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(statements).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await failed;
    expect(statements).toHaveLength(2);
    statements[1]!.end();
    await second;
  } finally {
    vi.useRealTimers();
  }
});
