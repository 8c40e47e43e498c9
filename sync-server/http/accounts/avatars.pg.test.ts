import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversations, me, user } from '../../../shared/api.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

let count = 0;
const somebody = (): Promise<TestPerson> => api.register(`avatar${++count}`);
const AVATAR = '/api/me/avatar';

const wide = () => sharp({ create: { width: 900, height: 600, channels: 3, background: '#204080' } });
const png = (): Promise<Buffer> => wide().png().toBuffer();

async function put(person: TestPerson, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await api.app.request(AVATAR, {
    method: 'PUT',
    body,
    headers: { Authorization: `Bearer ${person.accessToken}`, 'Content-Type': 'image/png', ...headers },
    duplex: 'half',
  } as RequestInit);
  return { status: response.status, body: (await response.json()) as unknown };
}

async function get(url: string) {
  const response = await api.app.request(url);
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

const urlOf = (answer: { body: unknown }): string => me.parse(answer.body).avatarUrl!;

describe('[H5] a picture', () => {
  test.each(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)('of %s becomes a square WebP of our own', async (format) => {
    const person = await somebody();
    const answer = await put(person, new Uint8Array(await wide().toFormat(format).toBuffer()), { 'Content-Type': 'text/html' });
    expect(answer.status).toBe(200);
    const { status, headers, bytes } = await get(urlOf(answer));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('image/webp');
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 512, height: 512 });
  });

  test('keeps nothing of what was in the file besides, and stands upright', async () => {
    const person = await somebody();
    const halves = wide().composite([{ input: { create: { width: 450, height: 600, channels: 3, background: '#fff' } }, left: 0, top: 0 }]);
    const photo = await halves
      .withExif({ IFD0: { Copyright: 'SECRET PLACE' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { bytes } = await get(urlOf(await put(person, new Uint8Array(photo))));
    const kept = await sharp(bytes).metadata();
    expect([kept.exif, kept.xmp, kept.icc, kept.orientation]).toEqual([undefined, undefined, undefined, undefined]);
    expect(Buffer.from(bytes).includes('SECRET')).toBe(false);
    // Turned by a quarter: what was on the left is on top.
    const pixels = await sharp(bytes).removeAlpha().raw().toBuffer();
    expect(pixels[(10 * 512 + 256) * 3]).toBeGreaterThan(240);
    expect(pixels[(500 * 512 + 256) * 3]).toBeLessThan(64);
  });

  test('stands in every row of its person, changes its address with its bytes, and goes', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    await grace.call('POST', '/api/messaging/conversations', { userId: ada.id });
    const first = urlOf(await put(ada, new Uint8Array(await png())));
    expect(first).toMatch(new RegExp(`^/api/avatars/${ada.id}/[0-9a-f]{32}\\.webp$`));
    const seen = async () => [
      me.parse((await ada.call('GET', '/api/me')).body).avatarUrl,
      user.parse((await grace.call('GET', `/api/users/${ada.user.handle}`)).body).avatarUrl,
      conversations
        .parse((await grace.call('GET', '/api/messaging/conversations')).body)
        .conversations[0]!.members.find(({ id }) => id === ada.id)!.avatarUrl,
    ];
    expect(await seen()).toEqual([first, first, first]);
    const second = urlOf(await put(ada, new Uint8Array(await wide().negate().png().toBuffer())));
    expect(second).not.toBe(first);
    expect([(await get(first)).status, (await get(second)).status]).toEqual([404, 200]);
    expect(me.parse((await ada.call('DELETE', AVATAR)).body).avatarUrl).toBeNull();
    expect(await seen()).toEqual([null, null, null]);
    expect((await get(second)).status).toBe(404);
  });
});

describe('[H5] what is no picture', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>';
  const bomb = (): Promise<Buffer> =>
    sharp({ create: { width: 9_000, height: 9_000, channels: 3, background: '#000' } })
      .png({ compressionLevel: 9 })
      .toBuffer();
  const cases: [string, () => Promise<Uint8Array> | Uint8Array][] = [
    ['nothing', () => new Uint8Array(0)],
    ['text', () => Buffer.from('hello')],
    ['SVG', () => Buffer.from(svg)],
    ['HTML behind the first bytes of a GIF', () => Buffer.from(`GIF89a${svg}`)],
    ['another format, TIFF', () => wide().tiff().toBuffer()],
    ['a picture cut off', async () => (await wide().jpeg().toBuffer()).subarray(0, 600)],
    ['more pixels than any camera has', bomb],
  ];
  test.each(cases)('%s is refused', async (_, make) => {
    const person = await somebody();
    const { status, body } = await put(person, new Uint8Array(await make()));
    expect([status, body]).toMatchObject([422, { code: 'bad-image' }]);
    expect(me.parse((await person.call('GET', '/api/me')).body).avatarUrl).toBeNull();
  });

  test('more than 5 MiB is refused before it is looked at, whatever length is declared', async () => {
    const person = await somebody();
    const large = new Uint8Array(5 * 1024 * 1024 + 1);
    expect(await put(person, large)).toMatchObject({ status: 413, body: { code: 'too-large' } });
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) });
    expect(await put(person, stream)).toMatchObject({ status: 413 });
  });

  test('nobody’s is refused, and another address is none', async () => {
    const response = await api.app.request(AVATAR, { method: 'PUT', body: new Uint8Array(await png()) });
    expect(response.status).toBe(401);
    const person = await somebody();
    const url = urlOf(await put(person, new Uint8Array(await png())));
    const hash = url.split('/').at(-1)!;
    for (const other of [url.replace('.webp', '.png'), url.replace(hash, `${'0'.repeat(32)}.webp`), `/api/avatars/x/${hash}`])
      expect((await get(other)).status).toBe(404);
  });

  test('often in a row is refused', async () => {
    const person = await somebody();
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await put(person, 'x')).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 422), 429]);
  });
});
