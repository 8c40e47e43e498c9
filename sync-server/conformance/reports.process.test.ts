import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { register } from './person.ts';
import { ROOT, type Server, runProgram, startServer } from './server-process.ts';

const REPORTS = ['sync-server/bin/reports.mjs'];
let server: Server;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server?.close());

async function reports(...args: string[]) {
  const command = runProgram([...REPORTS, ...args], { DATA_DIR: server.dataDir });
  return { code: await command.ended, ...command.said };
}

describe('[G4] npm run reports', () => {
  test('is what the README says', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: { reports: string } };
    expect(scripts.reports).toBe(['node', ...REPORTS].join(' '));
  });

  test('lists, shows and closes what people reported, beside the running server', async () => {
    const [ada, grace] = [await register(server.origin, 'ada'), await register(server.origin, 'grace')];
    const { id: conversationId } = await ada.converse(grace);
    const { message } = await ada.send(conversationId, 'something bad');
    const filed = await grace.call('POST', '/api/reports', { conversationId, messageId: message.id, reason: 'Look at this.' });
    expect(filed.status).toBe(201);
    const { id } = filed.body as { id: string };
    expect(await reports()).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^${id} .*@grace about @ada: Look at this`)) });
    expect((await reports('show', id.slice(0, 30))).out).toContain('something bad');
    expect((await reports('close', id)).out).toBe(`${id} is closed.\n`);
    expect((await reports('close', id)).out).toBe(`${id} was closed already.\n`);
    expect((await reports()).out).toBe('There are no reports.\n');
    expect((await reports('all')).out).toContain(id);
    expect(await reports('show', 'ffff')).toMatchObject({ code: 1, err: 'No report, or more than one, begins with ffff.\n' });
    expect(await reports('nonsense')).toMatchObject({ code: 1, err: expect.stringContaining('npm run reports') });
  });
});
