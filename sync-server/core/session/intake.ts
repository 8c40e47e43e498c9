import type { Clock } from '../../../shared/clock.ts';
import { LIMITS, WAIT_MS } from '../../../shared/limits.ts';
import type { Socket } from '../ports.ts';

/**
 * What comes in on one connection, one frame after the other. A frame that may not be taken yet waits, and those behind it wait with it;
 * once some wait the socket is not read any more, so that what is sent too fast stays with its sender (W13).
 *
 *   shut ── open ──► flowing ⇄ waiting ──► stopped        shut: nobody takes frames yet
 */
export interface Intake {
  receive(frame: Uint8Array): void;
  open(): void;
  stop(): void;
}

export function makeIntake(deps: {
  socket: Pick<Socket, 'pause' | 'resume'>;
  clock: Clock;
  /** Takes a frame, or says how many milliseconds it has to wait. */
  take(frame: Uint8Array): number;
  /** What waits now is not too fast: it waits for its own reader, who has a time of its own (W7). */
  isPatient(): boolean;
  /** Too much waits, or a frame has waited too long. */
  giveUp(reason: string): void;
}): Intake {
  const { socket, clock, take, isPatient, giveUp } = deps;
  let phase: 'shut' | 'open' | 'stopped' = 'shut';
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let isPaused = false;
  let waitsUntil: number | null = null;
  let stopTurn = (): void => {};

  function receive(frame: Uint8Array): void {
    if (phase === 'stopped') return;
    if (waiting.length >= LIMITS.waitingFrames || bytes + frame.byteLength > LIMITS.waitingBytes) return giveUp('too much at once');
    waiting.push(frame);
    bytes += frame.byteLength;
    if (phase === 'open' && waiting.length === 1) flow();
    pace();
  }

  const next = (): Uint8Array | undefined => (phase === 'open' ? waiting[0] : undefined);

  function flow(): void {
    stopTurn();
    for (let frame = next(); frame; frame = next()) {
      const wait = take(frame);
      if (wait > 0) return waitFor(wait);
      waitsUntil = null;
      waiting.shift();
      bytes -= frame.byteLength;
    }
    pace();
  }

  function waitFor(wait: number): void {
    const now = clock.elapsed();
    if (isPatient()) waitsUntil = null;
    waitsUntil ??= now + WAIT_MS;
    if (now >= waitsUntil) return giveUp('too fast');
    stopTurn = clock.after(Math.min(wait, waitsUntil - now), flow);
    pace();
  }

  /** Reads the socket while little waits. */
  function pace(): void {
    const isFull = phase !== 'stopped' && (waiting.length > LIMITS.pauseFrames || bytes > LIMITS.pauseBytes);
    if (isFull === isPaused) return;
    isPaused = isFull;
    if (isFull) socket.pause();
    else socket.resume();
  }

  return {
    receive,
    open() {
      if (phase === 'shut') phase = 'open';
      flow();
    },
    stop() {
      phase = 'stopped';
      stopTurn();
      waiting = [];
      bytes = 0;
      pace();
    },
  };
}
