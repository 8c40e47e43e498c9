import { type Accessor, createMemo } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';
import type { ConnectionState } from '../sync/wire/connection.ts';
import { createGrace } from './create-grace.ts';

export type ConnectionStatus = 'connected' | 'connecting' | 'offline';

const GRACE_MS = 2_000;

interface Options {
  connection: Accessor<ConnectionState>;
  /** What is on the screen is up to date and stays so. */
  isLive: Accessor<boolean>;
  clock: Clock;
}

/** What to tell a person about the connection: nothing for the first 2 s of a break (C5.6). */
export function createConnectionStatus({ connection, isLive, clock }: Options): Accessor<ConnectionStatus> {
  const isUp = (): boolean => connection() === 'open' || connection() === 'http';
  const isBroken = createGrace(() => !isUp() || !isLive(), GRACE_MS, clock);
  return createMemo(() => (isBroken() ? (connection() === 'offline' ? 'offline' : 'connecting') : 'connected'));
}
