import { type ConversationRow, type RowInput, asRow } from './conversation-row.ts';

/**
 * Makes rows, and keeps each until something that it shows has changed: one change among many conversations costs one row. `now` alone is no
 * change: it only bounds the time of what waits.
 */
export function makeRows(): (inputs: readonly RowInput[]) => readonly ConversationRow[] {
  let kept = new Map<string, { input: RowInput; row: ConversationRow }>();
  const isSame = (a: RowInput, b: RowInput): boolean =>
    a.conversation === b.conversation && a.messages === b.messages && a.entries === b.entries && a.readTo === b.readTo && a.me === b.me;
  return (inputs) => {
    const before = kept;
    kept = new Map();
    return inputs.map((input) => {
      const known = before.get(input.conversation.id);
      const made = known && isSame(known.input, input) ? known : { input, row: asRow(input) };
      kept.set(input.conversation.id, made);
      return made.row;
    });
  };
}
