/** A piece of a message: text, and where it leads when it is a link. */
export interface TextPart {
  text: string;
  href: string | null;
}

const ALLOWED = new Set(['http:', 'https:', 'mailto:']);
const LONGEST = 2_000;
/** What an address may stand in: spaces, quotes and angle brackets end it, and marks that turn the direction of writing. */
const CANDIDATE = /(?<![\p{L}\p{N}_])(?:https?:\/\/|www\.|mailto:)[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
/** Of the sentence, not of the address. */
const TRAILING = /[.,:;!?…。、，！？*_~|\\]+$/u;
const CLOSING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/**
 * Cuts a message into text and links. Only addresses that a URL parser reads as http, https or mail become links, and none that hides its
 * host behind a name and password. Put together again the parts are the message, letter for letter.
 */
export function linkedText(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  const take = (until: number, href: string | null): void => {
    if (until > at) parts.push({ text: text.slice(at, until), href });
    at = until;
  };
  for (const { 0: candidate, index } of text.matchAll(CANDIDATE)) {
    const address = candidate.length > LONGEST ? '' : trimmed(candidate);
    const href = hrefOf(address);
    if (href === null) continue;
    take(index, null);
    take(index + address.length, href);
  }
  take(text.length, null);
  return parts;
}

/** Without the punctuation behind it, and without a bracket that was opened before it. */
function trimmed(candidate: string): string {
  let address = candidate;
  for (;;) {
    const before = address.length;
    address = address.replace(TRAILING, '');
    const opening = CLOSING[address.at(-1) ?? ''];
    if (opening !== undefined && count(address, opening) < count(address, address.at(-1)!)) address = address.slice(0, -1);
    if (address.length === before) return address;
  }
}

const count = (text: string, letter: string): number => text.split(letter).length - 1;

function hrefOf(address: string): string | null {
  const full = /^www\./i.test(address) ? `https://${address}` : address;
  if (!URL.canParse(full)) return null;
  const url = new URL(full);
  const leadsSomewhere = url.protocol === 'mailto:' ? url.pathname.includes('@') : url.hostname.replace(/^www\.?/, '') !== '';
  return ALLOWED.has(url.protocol) && url.username === '' && url.password === '' && leadsSomewhere ? url.href : null;
}
