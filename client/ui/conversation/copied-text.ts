import type { ThreadMessage } from '../../state/thread.ts';

interface Options {
  range: Range;
  content: HTMLElement;
  /** The messages from one index to another, the last one included. */
  messages: (from: number, to: number) => readonly ThreadMessage[];
  indexOf: (id: string) => number | undefined;
  authorOf: (message: ThreadMessage) => string;
}

/** The part of a row's text that a selection takes. */
function partOf(row: Element, range: Range): string {
  const text = row.querySelector('.bubble__text');
  if (!text) return '';
  const part = document.createRange();
  part.selectNodeContents(text);
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  return part.toString();
}

/** The row in which an end of a selection lies. */
export const rowOf = (node: Node | null): HTMLElement | null =>
  (node instanceof Element ? node : node?.parentElement)?.closest<HTMLElement>('li[data-id]') ?? null;

/**
 * What a selection over several messages copies: a line for each, with who wrote it, whether its row is in the document or not (C5.9). Null:
 * it is of one message, which the browser copies well.
 */
export function copiedText({ range, content, messages, indexOf, authorOf }: Options): string | null {
  const [first, last] = [range.startContainer, range.endContainer].map(rowOf);
  if (!first || !last || first === last || !content.contains(first) || !content.contains(last)) return null;
  const [from, to] = [first, last].map((row) => indexOf(row.dataset.id ?? ''));
  if (from === undefined || to === undefined) return null;
  return messages(from, to)
    .map((message, i, all) => {
      const text = i === 0 ? partOf(first, range) : i === all.length - 1 ? partOf(last, range) : message.text;
      return `${authorOf(message)}: ${text ?? 'Message deleted'}`;
    })
    .join('\n');
}
