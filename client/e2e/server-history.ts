/** Runs in the page: the whole history of a conversation over HTTP. */
export async function readHistory(conversationId: string): Promise<{ id: string; seq: number; content: string }[]> {
  const all: { id: string; seq: number; content: string }[] = [];
  for (let before: number | null | undefined; before !== null;) {
    const query = before === undefined ? '' : `&before=${before}`;
    const answer = await fetch(`/api/messaging/conversations/${conversationId}/messages?limit=200${query}`);
    const page = (await answer.json()) as { messages: typeof all; nextBefore: number | null };
    all.unshift(...page.messages);
    before = page.nextBefore;
  }
  return all;
}
