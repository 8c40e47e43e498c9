import type { ConversationRow } from '../../state/create-conversation-list.ts';

/** The row before or after the open one, or the first or last; with `unreadOnly` the next that has something unread, round the end. */
export function neighbour(rows: readonly ConversationRow[], openId: string | undefined, step: 1 | -1, unreadOnly: boolean): string | null {
  const at = rows.findIndex(({ id }) => id === openId);
  if (!unreadOnly) return (at === -1 ? rows.at(step === 1 ? 0 : -1) : rows[at + step])?.id ?? null;
  const from = at === -1 && step === -1 ? 0 : at;
  const round = rows.map((_, i) => rows[(((from + step * (i + 1)) % rows.length) + rows.length) % rows.length]!);
  return round.find(({ id, unread }) => unread > 0 && id !== openId)?.id ?? null;
}
