import { expect, test, vi } from 'vitest';
import { LogUnavailable } from '../core/ports.ts';
import { tellUnavailable } from './unavailable.ts';

test('[F4] who waits too long for the database, or comes when too many do, is told so; then others are served again', async () => {
  const settle: (() => void)[] = [];
  const port = tellUnavailable(
    { read: () => new Promise<string>((resolve) => settle.push(() => resolve('read'))) },
    { waitMs: 20, most: 2 },
  );
  const [first, second] = [port.read(), port.read()];
  await expect(port.read()).rejects.toBeInstanceOf(LogUnavailable);
  await expect(first).rejects.toBeInstanceOf(LogUnavailable);
  await expect(second).rejects.toBeInstanceOf(LogUnavailable);
  // Given up is not over: Postgres still works on both.
  await expect(port.read()).rejects.toBeInstanceOf(LogUnavailable);
  expect(settle).toHaveLength(2);
  for (const one of settle.splice(0)) one();
  await vi.waitFor(async () => {
    const answer = port.read();
    settle.shift()?.();
    expect(await answer).toBe('read');
  });
});
