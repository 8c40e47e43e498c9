import type { Uuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';

/** The index of the first message after this seq; the number of messages when there is none. They are in order of seq. */
export function indexAfter(messages: readonly SegmentMessage[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle]!.seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What others wrote after this seq and did not delete. Messages up to it are not looked at. */
export const othersAfter = (messages: readonly SegmentMessage[], seq: number, me: Uuid): SegmentMessage[] =>
  messages.slice(indexAfter(messages, seq)).filter(({ authorId, body }) => authorId !== me && body !== null);
