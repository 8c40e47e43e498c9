import { createHash } from 'node:crypto';
import sharp from 'sharp';

/** A picture as it is kept and served. `hash` names these very bytes. */
export interface Picture {
  hash: string;
  bytes: Uint8Array;
}

/** A decompression bomb stops here; the largest phones make 50 million. */
const PIXELS = 64_000_000;
const SIDE = 512;
const SECONDS = 10;

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/** What a file says of itself in its first bytes; null for anything but the formats that are taken, whatever it was sent as. */
export function sniff(bytes: Uint8Array): 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return 'gif';
  return /^ftypavi[fs]$/.test(ascii(bytes, 4, 12)) ? 'avif' : null;
}

/**
 * Makes uploaded bytes into a square picture of our own encoding: turned upright, cut to cover, nothing kept of what was in the file
 * besides. Null when they are no such picture. One at a time, because a large one takes much memory.
 */
export function makePictures(): { read(bytes: Uint8Array): Promise<Picture | null> } {
  let last: Promise<unknown> = Promise.resolve();

  async function encode(input: Uint8Array): Promise<Picture | null> {
    try {
      const bytes = await sharp(input, { limitInputPixels: PIXELS, sequentialRead: true, failOn: 'error' })
        .timeout({ seconds: SECONDS })
        .autoOrient()
        .resize(SIDE, SIDE, { fit: 'cover' })
        .webp({ quality: 82 })
        .toBuffer();
      return { bytes: new Uint8Array(bytes), hash: createHash('sha256').update(bytes).digest('hex').slice(0, 32) };
    } catch {
      return null;
    }
  }

  return {
    read(bytes) {
      if (!sniff(bytes)) return Promise.resolve(null);
      const next = last.then(() => encode(bytes));
      last = next;
      return next;
    },
  };
}
