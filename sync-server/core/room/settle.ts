import { encodeAck, encodeTold } from '../../../shared/protocol.ts';
import type { DocumentWrite, Logger } from '../ports.ts';
import type { Judgement, Outcome } from './judge.ts';
import { type Room, encodeRoomStep1 } from './room.ts';
import type { Rooms } from './rooms.ts';

/** Tells one writer what became of a frame or a post. */
export function tell(room: Room, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'posted':
      return outcome.done(outcome.result);
    case 'acked':
      if (outcome.from.acks && outcome.told.length > 0) outcome.from.send(encodeTold(outcome.told));
      if (outcome.committed.length === 0) return outcome.from.judged('idle');
      if (outcome.from.acks) outcome.from.sendLive(encodeAck(outcome.committed), null);
      return outcome.from.judged('committed');
    case 'ahead':
      outcome.from.send(encodeRoomStep1(room));
      return outcome.from.judged('ahead');
    case 'refused':
      return outcome.from.end('refused', outcome.reason);
    case 'not-member':
      return outcome.from.end('notMember');
  }
}

/** L7: what was committed goes to everybody. What goes wrong on the way costs the rooms their cache, never the process. */
export function makeSettler(rooms: Rooms, logger: Logger): (judgement: Judgement) => void {
  function takeWritten(room: Room, { state, update, claims }: DocumentWrite): void {
    if (!room.closed) rooms.offer(room, [{ position: state.position, update }], claims, state);
  }

  /** Each room in one synchronous step, then the root that the batch wrote beside them. */
  function settle({ conversationId, rooms: judged, write }: Judgement): void {
    const parts = new Map(write?.documents.map((part) => [part.state.n, part]));
    for (const { room, outcomes } of judged) {
      const part = parts.get(room.name.n);
      if (part) takeWritten(room, part);
      if (write) room.conversation = { ...room.conversation, seq: write.seq, open: write.open };
      room.failures = 0;
      for (const outcome of outcomes) tell(room, outcome);
    }
    const root = parts.get(0);
    const rootRoom = root && rooms.get({ kind: 'root', conversationId, n: 0 });
    if (root && rootRoom) takeWritten(rootRoom, root);
  }

  return (judgement) => {
    try {
      settle(judgement);
    } catch (error) {
      logger.error({ conversationId: judgement.conversationId, error: String(error) }, 'a committed batch could not be told');
      for (const { room } of judgement.rooms) rooms.drop(room, 'restart');
    }
  };
}
