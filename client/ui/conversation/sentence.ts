/** What is to be said of a message. */
export interface Spoken {
  author: string;
  /** Null: deleted. */
  text: string | null;
  /** When it was written, and when it was sent where that was much later. */
  time: string;
  isEdited: boolean;
  startsUnread: boolean;
  /** How far an own one has come, or why no further, in words. */
  status: string | null;
}

const ENDS_SENTENCE = /[.!?…。！？]["'”’»)]*$/u;

/** A focused message as one sentence: who, what, when, and what became of it (C9.6). */
export function sentenceOf({ author, text, time, isEdited, startsUnread, status }: Spoken): string {
  const said = (text ?? 'message deleted').replaceAll(/\s+/g, ' ').trim();
  const more = [time, isEdited && 'edited', startsUnread && 'first new message', status].filter(Boolean).join(', ');
  return `${author}: ${said}${ENDS_SENTENCE.test(said) ? ' ' : ', '}${more}`;
}
