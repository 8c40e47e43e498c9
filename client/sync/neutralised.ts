import type { Neutralised } from '../../shared/close-codes.ts';
import { readLaneKey } from '../../shared/segment.ts';
import type { Mover } from './move-waiting.ts';
import { changeKey, messageKey, reactKey } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';

/**
 * Takes in that segment `n` did not take what was set under a key (A6). New messages that came too late go into the next segment, what is
 * there already is done, everything else failed and keeps its text.
 */
export function takeNeutralised(
  { outbox, mover }: { outbox: Outbox; mover: Pick<Mover, 'closed' | 'judged'> },
  { n, key, code }: { n: number; key: string; code: Neutralised },
): void {
  const target = readLaneKey(key);
  if (!target) return;
  mover.judged(n);
  const { id } = target;
  if (target.kind === 'reactions') {
    const reactions = outbox.get(reactKey(id));
    if (!reactions) return;
    // A message that is gone has no reactions: nothing is missing.
    if (code === 'removed' || code === 'duplicate') outbox.done([reactions]);
    else outbox.fail([reactions.id], code);
    return;
  }
  const message = outbox.get(messageKey(id));
  const change = outbox.get(changeKey(id));
  if (message?.state.kind === 'waiting') {
    if (code === 'closed') mover.closed(id, n);
    else if (code === 'duplicate') outbox.done([message]);
    else outbox.fail([message.id], code);
  } else if (change?.kind === 'edit') outbox.fail([change.id], code === 'removed' ? 'gone' : code);
  // Whoever may not delete it: it is not theirs, or gone.
  else if (change) outbox.done([change]);
}
