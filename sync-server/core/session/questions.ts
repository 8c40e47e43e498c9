import * as Y from 'yjs';
import type { Clock } from '../../../shared/clock.ts';
import type { CloseName } from '../../../shared/close-codes.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS, RATES } from '../../../shared/limits.ts';
import { encodeStep2 } from '../../../shared/protocol.ts';
import { isAhead } from '../restore/ahead.ts';
import type { Room } from '../room/room.ts';
import type { Rooms } from '../room/rooms.ts';
import type { Allowances } from './allowances.ts';
import { makeBucket } from './limiter.ts';
import { readStateVector } from './read-frame.ts';

/** One connection's questions, what it lacks of a document (W2, L11), and the answers. */
export interface Questions {
  /** Answers a step 1, or says how many milliseconds it has to wait. */
  take(room: Room, vector: Uint8Array): number;
  /** The first one has been answered. Before that nothing of the document is sent: a part of it would look like the whole (W2). */
  hasAnswered(): boolean;
  /** Answers what was left out while the reader did not keep up: of each client id in it the first clock (W7). */
  catchUp(room: Room, missed: ReadonlyMap<number, number>): void;
}

export function makeQuestions(deps: {
  userId: Uuid;
  rooms: Rooms;
  allowances: Allowances;
  clock: Clock;
  send(message: Uint8Array): void;
  end(close: CloseName, reason?: string): void;
}): Questions {
  const { userId, rooms, allowances, clock, send, end } = deps;
  const bucket = makeBucket(RATES.step1);
  let answered = false;

  function answer(room: Room, vector: Uint8Array): void {
    answered = true;
    const lacking = encodeStep2(Y.encodeStateAsUpdate(room.doc, vector));
    allowances.answered(userId, lacking.byteLength);
    send(lacking);
  }

  /** Another node may have committed it; else a backup was restored. */
  async function lookAgain(room: Room, vector: Uint8Array, held: Map<number, number>): Promise<void> {
    try {
      await rooms.refresh(room);
    } catch {
      return end('tryLater');
    }
    if (isAhead(room, userId, held)) end('refused', 'restored');
    else answer(room, vector);
  }

  return {
    take(room, vector) {
      const wait = allowances.question(userId);
      if (wait > 0) return wait;
      const held = readStateVector(vector, LIMITS.stateVectorClients + room.doc.store.clients.size);
      if (bucket.take(clock.elapsed()) > 0) end('tryLater', 'too many sync requests');
      else if (!held) end('refused', 'malformed');
      else if (isAhead(room, userId, held)) void lookAgain(room, vector, held);
      else answer(room, vector);
      return 0;
    },
    hasAnswered: () => answered,
    catchUp(room, missed) {
      if (!answered) return;
      const held = Y.decodeStateVector(Y.encodeStateVector(room.doc));
      for (const [client, from] of missed) held.set(client, Math.min(from, held.get(client) ?? 0));
      answer(room, Y.encodeStateVector(held));
    },
  };
}
