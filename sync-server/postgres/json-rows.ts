/**
 * Rows as one JSON text, for `json_to_recordset`: one parameter a statement however many rows, and lists inside rows may differ in length.
 * Send it as `${jsonRows(rows)}::text::json` (a parameter of type json would be encoded twice).
 *
 * Postgres takes neither NUL nor half a surrogate pair in text. A message may hold them, so in the tables each becomes U+FFFD; without
 * this one such message would fail its batch again and again.
 */
export function jsonRows(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return JSON.stringify(rows).replace(ESCAPE, (escape) => (UNSTORABLE.test(escape) ? '\\ufffd' : escape));
}

/** An escape of JSON, whole: an escaped backslash is one and hides what follows. Pairs of surrogates are not escaped. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|.)/g;
const UNSTORABLE = /^\\u(?:0000|d[89a-f])/;

/** Bytes inside such a row; `decode(x, 'base64')` in SQL. */
export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
export const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** The last millisecond of the year 9999: what a client says beyond it cannot be read back as a date. */
const LATEST = 253_402_300_799_999;
/** A client's time within what the tables hold. */
export const storableTime = (ms: number): number => Math.min(ms, LATEST);
