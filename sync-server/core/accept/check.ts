import { LIMITS } from '../../../shared/limits.ts';
import { CONTENT, HAS } from './struct-info.ts';

/** Containers inside one another in a value. A message needs five: the tuple, its extras and three more. */
const DEPTH = 6;
/** Values in one struct, with those inside them: extras, lists of emoji and a whole log hold fewer. */
const VALUES = 4_096;
const PROTO = new TextEncoder().encode('__proto__');

const MALFORMED = new Error('malformed update');
const fail = (): never => {
  throw MALFORMED;
};

/**
 * Walks the bytes of an update as Yjs would read them, keeping nothing: no array, no string, whatever the bytes declare. Each element
 * takes at least one byte, so the walk ends with the bytes.
 */
function makeWalker(bytes: Uint8Array) {
  let at = 0;
  let parts = 0;
  let values = 0;
  let names = 0;

  /** One more struct, or client id that has structs or deletions. */
  function part(): void {
    if (++parts > LIMITS.updateParts) fail();
  }

  const byte = (): number => (at < bytes.length ? bytes[at++]! : fail());

  function skip(length: number): void {
    if (length > bytes.length - at) fail();
    at += length;
  }

  /** The rest of a number of 7 bits a byte; nothing beyond the safe integers, and no more bytes than those take. */
  function digits(first: number, factor: number, more: boolean): number {
    let number = first;
    for (let mult = factor; more; mult *= 128) {
      if (mult > Number.MAX_SAFE_INTEGER) fail();
      const digit = byte();
      number += (digit & 0x7f) * mult;
      if (number > Number.MAX_SAFE_INTEGER) fail();
      more = digit >= 0x80;
    }
    return number;
  }

  const varUint = (): number => digits(0, 1, true);

  function varInt(): void {
    const first = byte();
    digits(first & 0x3f, 64, first >= 0x80);
  }

  /** A stretch of clocks that begins at `clock`: never empty, never beyond the safe integers. */
  function stretch(clock: number): number {
    const length = varUint();
    if (length === 0 || clock + length > Number.MAX_SAFE_INTEGER) fail();
    return clock + length;
  }

  /** Text that a strict UTF-8 decoder takes (Unicode, table 3-7). */
  function text(): void {
    const length = varUint();
    const end = at + length;
    if (end > bytes.length) fail();
    while (at < end) {
      const lead = bytes[at++]!;
      if (lead < 0x80) continue;
      const more = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : fail();
      if (at + more > end) fail();
      const second = bytes[at]!;
      const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (second < low || second > high) fail();
      for (let i = 1; i < more; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) fail();
      at += more;
    }
  }

  /** A key of a map or an object: text, but not the name that reaches prototypes. */
  function key(): void {
    const start = at;
    text();
    if (at - start === PROTO.length + 1 && PROTO.every((code, i) => bytes[start + 1 + i] === code)) fail();
  }

  /** A plain JSON value. No undefined, no big integers, no bytes: nothing of ours holds them. */
  function value(depth: number): void {
    if (++values > VALUES) fail();
    switch (byte()) {
      case 126: // null
      case 121: // false
      case 120: // true
        return;
      case 125:
        return varInt();
      case 124:
        return skip(4);
      case 123:
        return skip(8);
      case 119:
        return text();
      case 118: {
        if (depth === 0) fail();
        for (let count = varUint(); count > 0; count--) {
          if (++names > LIMITS.updateNames) fail();
          key();
          value(depth - 1);
        }
        return;
      }
      case 117: {
        if (depth === 0) fail();
        for (let count = varUint(); count > 0; count--) value(depth - 1);
        return;
      }
      default:
        fail();
    }
  }

  function id(): void {
    varUint();
    varUint();
  }

  /** One struct; answers the clock after it. */
  function struct(clock: number): number {
    part();
    const info = byte();
    if (info === CONTENT.gc || info === CONTENT.skip) return stretch(clock);
    const content = info & CONTENT.mask;
    if (content !== CONTENT.deleted && content !== CONTENT.any) fail();
    if (info & HAS.origin) id();
    if (info & HAS.rightOrigin) id();
    if (!(info & (HAS.origin | HAS.rightOrigin))) {
      // A parent that is not a root would be a nested type.
      if (varUint() !== 1) fail();
      text();
      if (info & HAS.key) key();
    }
    const end = stretch(clock);
    values = 0;
    if (content === CONTENT.any) for (let i = clock; i < end; i++) value(DEPTH);
    return end;
  }

  function newClient(seen: Set<number>): void {
    part();
    const client = varUint();
    if (seen.has(client)) fail();
    seen.add(client);
  }

  function structs(): void {
    const seen = new Set<number>();
    for (let clients = varUint(); clients > 0; clients--) {
      let count = varUint();
      newClient(seen);
      for (let clock = varUint(); count > 0; count--) clock = struct(clock);
    }
  }

  /** Ranges stand in order and do not overlap, as Yjs writes them. */
  function deletes(): void {
    const seen = new Set<number>();
    for (let clients = varUint(); clients > 0; clients--) {
      newClient(seen);
      let end = 0;
      for (let count = varUint(); count > 0; count--) {
        const clock = varUint();
        if (clock < end) fail();
        end = stretch(clock);
      }
    }
  }

  return {
    update(): void {
      structs();
      deletes();
      if (at !== bytes.length) fail();
    },
  };
}

/**
 * Whether these bytes are one update in Yjs's first encoding that a library may decode (A1): no more than a segment's size, nothing
 * declared that is not there, no content but plain values and tombstones, nothing nested too deep, no more parts than a segment has, no client
 * named twice, deletions in order, no trailing bytes.
 */
export function checkUpdate(update: Uint8Array): boolean {
  if (update.length > LIMITS.step2) return false;
  try {
    makeWalker(update).update();
    return true;
  } catch (error) {
    if (error === MALFORMED) return false;
    throw error;
  }
}
