import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PROBLEMS, type ProblemCode, problem } from '../../shared/api.ts';
import { CommitUnknown, LogUnavailable } from '../core/ports.ts';
import { type Answer, type TestApi, type TestPerson, openTestApi } from './test-api.ts';

let api: TestApi;
let ada: TestPerson;
beforeAll(async () => {
  api = await openTestApi();
  ada = await api.register('ada');
});
afterAll(() => api.close());
afterEach(() => expect(api.errors.splice(0)).toEqual([]));

/** Every refusal is a whole problem, of the status of its code, and tells nothing of the inside (H1). */
function expectProblem({ status, headers, body }: Answer, code: ProblemCode): void {
  expect(body).toMatchObject({ code, status: PROBLEMS[code] });
  expect(status).toBe(PROBLEMS[code]);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(problem.strict().parse(body)).toMatchObject({ type: `/problems/${code}`, title: expect.stringMatching(/\w+/) });
  expect(JSON.stringify(body)).not.toMatch(/\.ts|node_modules|select |at async/);
}

const nobody = '00000000-0000-4000-8000-000000000000';
const C = '/api/messaging/conversations';
const open: [method: string, path: string][] = [
  ['POST', '/api/auth/register'],
  ['POST', '/api/auth/login'],
];
const optional: [method: string, path: string][] = [
  ['POST', '/api/auth/refresh'],
  ['POST', '/api/auth/logout'],
];
const withBody: [method: string, path: string][] = [
  ['PATCH', '/api/me'],
  ['POST', C],
  ['PATCH', `${C}/${nobody}/read`],
  ['POST', '/api/messaging/messages'],
];
const reads: [method: string, path: string][] = [
  ['GET', '/api/me'],
  ['GET', '/api/users?query=abc'],
  ['GET', '/api/users/ada'],
  ['GET', C],
  ['GET', `${C}/${nobody}/messages`],
  ['GET', `${C}/${nobody}/segments`],
];

describe('[S2] without a valid token', () => {
  const tokens: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['an empty token', { Authorization: 'Bearer ' }],
    ['no token', { Authorization: 'Bearer nonsense' }],
    ['another scheme', { Authorization: 'Basic YWRhOmFkYQ==' }],
    ['a bad cookie', { Cookie: 'homing_session=nonsense', Origin: 'http://localhost' }],
    ['an unsigned token', { Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.' }],
  ];
  test.each([...reads, ...withBody].flatMap(([method, path]) => tokens.map(([name, headers]) => [method, path, name, headers] as const)))(
    '%s %s with %s is refused before its body is looked at',
    async (method, path, _, headers) => {
      const answer = await api.call(method, path, method === 'GET' ? undefined : '{', headers);
      expectProblem(answer, 'unauthorized');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    },
  );

  test('a good token of somebody who is gone is none', async () => {
    const gone = await api.register('gone');
    await api.sql`delete from users where id = ${gone.id}`;
    expectProblem(await gone.call('GET', '/api/me'), 'unauthorized');
  });
});

describe('[H1] a body that cannot be read', () => {
  const bodies: [string, string, Record<string, string>, ProblemCode][] = [
    ['malformed', '{"handle":', {}, 'bad-request'],
    ['no object', '[]', {}, 'bad-request'],
    ['null', 'null', {}, 'bad-request'],
    ['a text', '"x"', {}, 'bad-request'],
    ['of another type', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'unsupported-media-type'],
    ['plain text', '{}', { 'Content-Type': 'text/plain' }, 'unsupported-media-type'],
    ['too large', JSON.stringify({ content: 'x'.repeat(70_000) }), {}, 'too-large'],
  ];
  test.each(
    [...open, ...withBody, ...optional].flatMap(([method, path]) =>
      bodies.map(([name, body, headers, code]) => [method, path, name, body, headers, code] as const),
    ),
  )('%s %s: %s', async (method, path, _, body, headers, code) => {
    expectProblem(await ada.call(method, path, body, headers), code);
  });

  test('a body that grows too large on its way, of no declared length', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(8_000))),
    });
    const response = await api.app.request('/api/auth/login', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'too-large' });
  });
});

describe('[H1] a field that is wrong is named', () => {
  const person = { handle: 'someone', displayName: 'S', password: 'long enough' };
  const message = { conversationId: nobody, content: 'x' };
  const cases: [method: string, path: string, body: unknown, field: string][] = [
    ...['', 'ab', 'a'.repeat(31), 'a b', 'ä'.repeat(5), '.abc', 'abc.', 'a/b/c', 'a\u0000bc', 7, null].map(
      (handle): [string, string, unknown, string] => ['POST', '/api/auth/register', { ...person, handle }, 'handle'],
    ),
    ...['', ' ', 'x'.repeat(61), 'a\u0000b', 'a\nb', '\ud800', '\u200b\u200d', '\u3164', '\u2800 \ufe0f', 7].map(
      (displayName): [string, string, unknown, string] => ['POST', '/api/auth/register', { ...person, displayName }, 'displayName'],
    ),
    ...['', 'too short', 'x'.repeat(201), 1234567890].map((password): [string, string, unknown, string] => [
      'POST',
      '/api/auth/register',
      { ...person, password },
      'password',
    ]),
    ['POST', '/api/auth/register', { ...person, client: 'other' }, 'client'],
    ['POST', '/api/auth/login', { password: 'x' }, 'handle'],
    ['POST', '/api/auth/login', { handle: 'x' }, 'password'],
    ['POST', '/api/auth/login', { handle: {}, password: 'x' }, 'handle'],
    ['POST', '/api/auth/refresh', { refreshToken: 7 }, 'refreshToken'],
    ['PATCH', '/api/me', { displayName: '' }, 'displayName'],
    ['PATCH', '/api/me', { bio: 'x'.repeat(501) }, 'bio'],
    ['PATCH', '/api/me', { bio: 'a\u0000b' }, 'bio'],
    ['PATCH', '/api/me', { bio: null }, 'bio'],
    ['PATCH', '/api/me', { handle: 'other' }, ''],
    ['POST', C, {}, 'userId'],
    ['POST', C, { userId: 'ada' }, 'userId'],
    ['POST', C, { userId: nobody.replace('4000', 'A000') }, 'userId'],
    ['POST', C, { userId: nobody, title: 'both' }, ''],
    ['POST', C, { title: 'g', memberIds: [] }, 'memberIds'],
    ['POST', C, { title: '', memberIds: [nobody] }, 'title'],
    ['POST', C, { title: 'a\u0000b', memberIds: [nobody] }, 'title'],
    ['POST', C, { title: 'g', memberIds: Array.from({ length: 500 }, () => nobody) }, 'memberIds'],
    ['PATCH', `${C}/${nobody}/read`, {}, 'seq'],
    ...[-1, 1.5, '1', null, 2 ** 53].map((seq): [string, string, unknown, string] => ['PATCH', `${C}/${nobody}/read`, { seq }, 'seq']),
    ...['', ' \n', 'x'.repeat(8_001), 'a\u0000b', '\udc00', 7, null].map((content): [string, string, unknown, string] => [
      'POST',
      '/api/messaging/messages',
      { ...message, content },
      'content',
    ]),
    ['POST', '/api/messaging/messages', { content: 'x' }, 'conversationId'],
    ['POST', '/api/messaging/messages', { ...message, recipientId: nobody }, ''],
    ['POST', '/api/messaging/messages', { ...message, conversationId: 'x' }, 'conversationId'],
    ['POST', '/api/messaging/messages', { ...message, id: 'x' }, 'id'],
    ['POST', '/api/messaging/messages', { ...message, id: 'A'.repeat(21) + 'B' }, 'id'],
    ...[
      'before=x',
      'before=-1',
      'before=1.5',
      'before=1e3',
      'limit=0',
      'limit=201',
      'limit=',
      'limit=1&limit=2',
      'before=9999999999999999',
    ].flatMap((query): [string, string, unknown, string][] =>
      ['messages', 'segments'].map((what) => ['GET', `${C}/${nobody}/${what}?${query}`, undefined, query.split('=')[0]!]),
    ),
    ...['x', '1', `_${nobody}`, `1_${nobody}x`, `1_x`, `99999999999999_${nobody}`, `1_${nobody}&before=1_${nobody}`].map(
      (before): [string, string, unknown, string] => ['GET', `${C}?before=${before}`, undefined, 'before'],
    ),
    ['GET', `${C}?limit=999`, undefined, 'limit'],
    ['GET', '/api/users', undefined, 'query'],
    ['GET', '/api/users?query=ab', undefined, 'query'],
    ['GET', `/api/users?query=${'x'.repeat(61)}`, undefined, 'query'],
    ['GET', '/api/users?query=abc%00', undefined, 'query'],
  ];
  test.each(cases.map(([method, path, body, field]) => [method, path, JSON.stringify(body)?.slice(0, 80), field, body] as const))(
    '%s %s %s: %s',
    async (method, path, _, field, body) => {
      const answer = await ada.call(method, path, body);
      expectProblem(answer, 'bad-request');
      const errors = problem.parse(answer.body).errors ?? [];
      expect(errors.map(({ path: at }) => at)).toContain(field);
    },
  );
});

describe('[H4] what is not there', () => {
  const cases: [method: string, path: string, body: unknown][] = [
    ['GET', '/api/users/nobody', undefined],
    ['GET', '/api/users/%00', undefined],
    ['GET', '/api/users/..%2f', undefined],
    ['GET', `${C}/nonsense/messages`, undefined],
    ['GET', `${C}/${nobody}/messages`, undefined],
    ['GET', `${C}/${nobody}/segments`, undefined],
    ['PATCH', `${C}/${nobody}/read`, { seq: 1 }],
    ['PATCH', `${C}/nonsense/read`, { seq: 1 }],
    ['POST', C, { userId: nobody }],
    ['POST', C, { title: 'g', memberIds: [nobody] }],
    ['POST', '/api/messaging/messages', { conversationId: nobody, content: 'x' }],
    ['POST', '/api/messaging/messages', { recipientId: nobody, content: 'x' }],
    ['GET', '/api', undefined],
    ['GET', '/api/nothing', undefined],
    ['POST', '/api/auth', {}],
    ['GET', '/api/auth/login/more', undefined],
    ['GET', `${C}//messages`, undefined],
    ['GET', '/API/me', undefined],
  ];
  test.each(cases)('%s %s %j', async (method, path, body) => {
    const answer = await ada.call(method, path, body);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});

test('a conversation needs somebody else', async () => {
  const alone: [string, unknown][] = [
    [C, { userId: ada.id }],
    [C, { title: 'me', memberIds: [ada.id, ada.id] }],
    ['/api/messaging/messages', { recipientId: ada.id, content: 'x' }],
  ];
  for (const [path, body] of alone) expectProblem(await ada.call('POST', path, body), 'bad-request');
});

test.each([
  ['DELETE', '/api/auth/login', 'POST'],
  ['GET', '/api/auth/login', 'POST'],
  ['PUT', C, 'GET, POST'],
  ['POST', `${C}/${nobody}/messages`, 'GET'],
  ['POST', '/api/health', 'GET'],
])('%s %s cannot be done; %s can', async (method, path, allow) => {
  const answer = await ada.call(method, path);
  expectProblem(answer, 'method-not-allowed');
  expect(answer.headers.get('allow')).toBe(allow);
});

test.each([...open, ...optional, ...withBody])('[S3] %s %s from a foreign page is refused, whatever it brings', async (method, path) => {
  for (const headers of [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost.evil.example' },
    { Cookie: 'homing_session=x' },
    { Cookie: 'homing_refresh=x', 'Sec-Fetch-Site': 'cross-site' },
  ])
    expectProblem(await api.call(method, path, {}, headers), 'origin');
});

test.each([
  [{ kind: 'neutralised', code: 'duplicate' }, 'id-used'],
  [{ kind: 'neutralised', code: 'removed' }, 'not-delivered'],
  [{ kind: 'neutralised', code: 'blocked' }, 'not-delivered'],
  [{ kind: 'neutralised', code: 'role' }, 'not-delivered'],
  [{ kind: 'neutralised', code: 'quota' }, 'not-delivered'],
  [{ kind: 'neutralised', code: 'closed' }, 'not-delivered'],
  [{ kind: 'not-found' }, 'not-found'],
  [{ kind: 'unavailable' }, 'unavailable'],
] as const)('a message that is %j is a problem %s', async (result, code) => {
  const refusing = await openTestApi((deps) => ({ ...deps, messaging: { ...deps.messaging, send: async () => result } }));
  const person = await refusing.register('person');
  const answer = await person.call('POST', '/api/messaging/messages', { conversationId: nobody, content: 'x' });
  expectProblem(answer, code);
  if (code === 'not-delivered') expect(problem.parse(answer.body).detail).toMatch(/\w+ \w+/);
  await refusing.close();
});

test.each([new LogUnavailable('gone'), new CommitUnknown('gone')])('[H1] %s is told as a matter of time', async (error) => {
  const change = async (): Promise<never> => {
    throw error;
  };
  const failing = await openTestApi((deps) => ({ ...deps, signIns: { ...deps.signIns, change } }));
  const answer = await failing.call('POST', '/api/auth/refresh', { refreshToken: `${nobody}.${'A'.repeat(43)}` });
  expectProblem(answer, 'unavailable');
  expect(answer.headers.get('retry-after')).toBe('1');
  await failing.close();
});

test('[H1] a fault of ours is logged and told without its inside', async () => {
  const failing = await openTestApi((deps) => ({
    ...deps,
    history: { ...deps.history, conversations: () => Promise.reject(new Error('select secret from inside')) },
  }));
  const person = await failing.register('person');
  const answer = await person.call('GET', C);
  expectProblem(answer, 'internal');
  expect(JSON.stringify(answer.body)).not.toContain('secret');
  expect(failing.errors).toEqual([{ method: 'GET', path: C, error: expect.stringContaining('select secret from inside') }]);
  await failing.close();
});
