import type { CloseName } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { MessageValue } from '../../../shared/segment.ts';
import type { SendResult } from '../messaging-port.ts';

/** A session as its room sees it. */
export interface Watcher {
  readonly userId: Uuid;
  /** Whether it asked for acks and tolds (W3). */
  readonly acks: boolean;
  /** What it has to be told: step 1, tolds. */
  send(message: Uint8Array): void;
  /** What it is caught up with later when it does not keep up (W7): an update, or (`update` null) an ack. */
  sendLive(message: Uint8Array, update: Uint8Array | null): void;
  end(close: CloseName, reason?: string): void;
  /** Its frame was judged: structs of it are committed, it held none of its own, or it was dropped for being ahead (W6). */
  judged(verdict: 'committed' | 'idle' | 'ahead'): void;
}

/** What waits in a room's queue. */
export type Work =
  | { kind: 'frame'; from: Watcher; update: Uint8Array }
  | { kind: 'post'; writer: Uuid; id: MessageId; value: MessageValue; done: (result: SendResult) => void };
