import { type Accessor, createMemo } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';
import { createGrace } from './create-grace.ts';

export type ConnectionStatus = 'connected' | 'connecting' | 'offline';

const GRACE_MS = 2_000;

interface Options {
  /** What the browser says. */
  isOnline: Accessor<boolean>;
  /** What is on the screen is up to date and stays so. */
  isLive: Accessor<boolean>;
  clock: Clock;
}

/** What to tell a person about the connection: nothing for the first 2 s of a break (C5.6). */
export function createConnectionStatus({ isOnline, isLive, clock }: Options): Accessor<ConnectionStatus> {
  const isBroken = createGrace(() => !isLive() || !isOnline(), GRACE_MS, clock);
  return createMemo(() => (isBroken() ? (isOnline() ? 'connecting' : 'offline') : 'connected'));
}
