import type { RandomBytes } from '../../../shared/clock.ts';

const FIRST_MS = 500;
const CAP_MS = 30_000;

/** A number from 0 to 1, 1 excluded. */
function fraction(random: RandomBytes): number {
  const bytes = random(4);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
}

/**
 * How long to wait after so many failures in a row: anything up to a doubling limit ("full jitter"), so that a crowd does not come back at
 * once. `spreadMs`: the time in which the server wants that crowd back, if it said so (W15).
 */
export const backOffMs = (failures: number, random: RandomBytes, spreadMs = 0): number =>
  Math.floor(fraction(random) * Math.min(CAP_MS, Math.max(spreadMs, FIRST_MS * 2 ** Math.min(failures, 16))));
