import { type Browser, type BrowserContextOptions, type CDPSession, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { findChromium } from './chromium.ts';
import { PASSWORD, type Person, openPerson, signIn, signUp, tabTo } from './person.ts';
import { type TestServer, startServer } from './server.ts';
import { makeShots } from './shots.ts';

/** What people do with their account (U1 to U5), in a real browser; passkeys with the browser's own virtual authenticator. */
const NEXT = 'battery staple for ever';
const shoot = makeShots('account');
let browser: Browser;
const here: Person[] = [];

beforeAll(async () => {
  browser = await chromium.launch(await findChromium());
});
afterAll(() => browser?.close());
afterEach(async () => {
  const faults = here.flatMap((person) => person.faults);
  for (const { page } of here.splice(0)) await page.context().close();
  expect(faults).toEqual([]);
});

async function come(server: TestServer, name: string, options: BrowserContextOptions = {}): Promise<Person> {
  const person = await openPerson(browser, server.origin, name, options);
  here.push(person);
  return person;
}
async function arrive(server: TestServer, name: string): Promise<Person> {
  const person = await come(server, name);
  await signUp(person);
  return person;
}
/** The same person in another browser. */
async function alsoIn(server: TestServer, { name, handle }: Person, options: BrowserContextOptions = {}): Promise<Person> {
  const other = { ...(await come(server, name, options)), handle };
  await signIn(other);
  return other;
}
const signedOut = ({ page }: Person): Promise<void> => page.getByRole('heading', { name: 'Welcome back' }).waitFor();
async function openSettings({ page }: Person): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('heading', { name: 'Where you are signed in' }).waitFor();
}
async function signOut({ page }: Person): Promise<void> {
  await page.getByRole('region', { name: 'Leave' }).getByRole('button', { name: 'Sign out' }).click();
}
describe('an open server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  test('[U1] one sees one’s sessions and ends them, one and all others; the other browsers are out at once', async () => {
    const ana = await arrive(server, 'Ana Silva');
    const phone = await alsoIn(server, ana, {
      userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Safari/604.1',
    });
    await openSettings(ana);
    const sessions = ana.page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
    await expect.poll(() => sessions.count()).toBe(2);
    expect(await sessions.filter({ hasText: 'This device' }).textContent()).toMatch(/^Chrome on .*This device/);
    await shoot(ana.page, 'settings');
    await sessions.filter({ hasText: 'Safari on iPhone' }).scrollIntoViewIfNeeded();
    await shoot(ana.page, 'sessions');
    await expectAccessible(ana.page, 'sessions');
    await ana.page.getByRole('button', { name: 'Sign out Safari on iPhone' }).click();
    await ana.page.getByText('Safari on iPhone is signed out.').waitFor();
    await signedOut(phone);
    expect(await sessions.count()).toBe(1);
    // The focus is where the list begins.
    expect(await ana.page.evaluate(() => document.activeElement?.textContent)).toBe('Where you are signed in');

    const others = [await alsoIn(server, ana), await alsoIn(server, ana)];
    await ana.page.reload();
    await ana.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    for (const other of others) await signedOut(other);
    await ana.page.getByText('All other sessions have ended.').waitFor();
    await expect.poll(() => sessions.count()).toBe(1);
  });

  test('[U2] the password is changed by keyboard; a wrong one is said at its field; other browsers are out', async () => {
    const ana = await arrive(server, 'Ana Silva');
    const other = await alsoIn(server, ana);
    const { page } = ana;
    await openSettings(ana);
    await tabTo(ana, page.getByRole('button', { name: 'Change password' }));
    await page.keyboard.press('Enter');
    await page.keyboard.type('not my password');
    await page.keyboard.press('Tab');
    await page.keyboard.type(NEXT);
    await page.keyboard.press('Enter');
    await page.getByText('This is not your password.').waitFor();
    await page.getByLabel('Current password').scrollIntoViewIfNeeded();
    await shoot(page, 'password');
    await expectAccessible(page, 'password');
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByLabel('Current password').press('Enter');
    await page.getByText('Changed. Your other devices are signed out.').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Change password');
    await signedOut(other);
    await signIn(other, NEXT);
  });

  test('[U3] a link from the operator sets a new password, once, and signs everybody else out', async () => {
    const ana = await arrive(server, 'Ana Silva');
    const link = await server.operatorsLink('reset', ana.handle);
    const asked: string[] = [];
    const forgetful = { ...(await come(server, 'Ana Silva')), handle: ana.handle };
    const { page } = forgetful;
    page.on('request', (request) => void asked.push(request.url()));
    await page.goto(link);
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('must have at least 10 characters').waitFor();
    await shoot(page, 'reset');
    await expectAccessible(page, 'reset');
    await page.getByLabel('New password').fill(NEXT);
    await page.getByLabel('New password').press('Enter');
    await page.getByRole('heading', { name: 'All set' }).waitFor();
    await page.getByText(`@${ana.handle} has a new password`).waitFor();
    await expectAccessible(page, 'reset done');
    await signedOut(ana);
    await page.getByRole('link', { name: 'Go on' }).click();
    await signIn(forgetful, NEXT);

    await page.goto(link);
    await page.reload();
    await page.getByLabel('New password').fill(NEXT);
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('This link has been used, or has run out.').waitFor();
    const token = link.split('#')[1]!;
    expect(asked.filter((url) => url.includes(token) && !url.includes(`#${token}`))).toEqual([]);
  });

  describe('[U4] passkeys', () => {
    /** A device in the browser: it verifies its person and answers by itself when told to. */
    async function device(person: Person): Promise<{ cdp: CDPSession; id: string }> {
      const cdp = await person.page.context().newCDPSession(person.page);
      await cdp.send('WebAuthn.enable', { enableUI: false });
      const { authenticatorId: id } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      });
      return { cdp, id };
    }
    const list = ({ page }: Person) => page.getByRole('list', { name: 'Passkeys' }).getByRole('listitem');
    async function addPasskey(person: Person, name: string): Promise<void> {
      const { page } = person;
      await page.getByRole('button', { name: 'Add a passkey' }).click();
      await page.getByLabel('Name of the passkey').fill(name);
      await page.getByLabel('Your password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Add passkey' }).click();
    }

    test('one is added, signs in without a name, is renamed and removed, and then signs nobody in', async () => {
      const ana = await arrive(server, 'Ana Silva');
      const { page } = ana;
      // A browser that suggests nothing: the virtual device would take up every suggestion at once.
      await page.addInitScript(() => (PublicKeyCredential.isConditionalMediationAvailable = async () => false));
      await page.reload();
      await ana.conversations.waitFor();
      await device(ana);
      await openSettings(ana);
      await page.getByRole('button', { name: 'Add a passkey' }).click();
      await page.getByLabel('Name of the passkey').fill('My laptop');
      await page.getByLabel('Your password').fill('not my password');
      await page.getByRole('button', { name: 'Add passkey' }).click();
      await page.getByText('This is not your password.').waitFor();
      await page.getByLabel('Name of the passkey').scrollIntoViewIfNeeded();
      await shoot(page, 'passkey-adding');
      await expectAccessible(page, 'adding a passkey');
      await page.getByLabel('Your password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Add passkey' }).click();
      await list(ana).filter({ hasText: 'My laptop' }).waitFor();
      expect(await list(ana).textContent()).toContain('not used yet');
      await list(ana).scrollIntoViewIfNeeded();
      await shoot(page, 'passkeys');
      await expectAccessible(page, 'passkeys');

      // The same device makes no second one.
      await addPasskey(ana, 'Again');
      await page.getByText('This device has a passkey for you already.').waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();

      await signOut(ana);
      await signedOut(ana);
      await shoot(page, 'sign-in');
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
      await ana.conversations.waitFor();

      await openSettings(ana);
      await list(ana).filter({ hasText: 'last used' }).waitFor();
      await page.getByRole('button', { name: 'Rename My laptop' }).click();
      await page.getByLabel('Name of the passkey').fill('Old laptop');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Remove Old laptop' }).click();
      await expect.poll(() => list(ana).count()).toBe(0);

      await signOut(ana);
      await signedOut(ana);
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
      await page.getByText('This passkey was not accepted. Please try again.').waitFor();
      await expectAccessible(page, 'sign in');
    });

    test('the browser suggests it where the handle is written', async () => {
      const ana = await arrive(server, 'Ana Silva');
      await device(ana);
      await openSettings(ana);
      await addPasskey(ana, 'My laptop');
      await list(ana).waitFor();
      // The virtual device takes up what is suggested as soon as it is.
      await signOut(ana);
      await signedOut(ana);
      await ana.conversations.waitFor();
      expect(await ana.page.getByRole('alert').filter({ hasText: /\S/ }).count()).toBe(0);
    });

    test('are not offered where the address is no name', async () => {
      const { page } = await come({ ...server, origin: server.origin.replace('localhost', '127.0.0.1') }, 'Ana Silva');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
      expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
    });

    test('a device that does not want to leaves everything as it was', async () => {
      const ana = await arrive(server, 'Ana Silva');
      const { cdp, id } = await device(ana);
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false });
      await openSettings(ana);
      await addPasskey(ana, 'My laptop');
      await ana.page.getByText('No passkey was made.').waitFor();
      expect(await list(ana).count()).toBe(0);
    });
  });
});

describe('[U5] a server by invitation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ REGISTRATION: 'invite' });
  });
  afterAll(() => server?.stop());

  test('the operator lets in the first, who invites others by links', async () => {
    const stranger = await come(server, 'Eve Stranger');
    await stranger.page.getByText('New accounts are by invitation here.').waitFor();
    await signedOut(stranger);
    expect(await stranger.page.getByRole('button', { name: 'Sign up' }).count()).toBe(0);
    await shoot(stranger.page, 'by-invitation');
    await expectAccessible(stranger.page, 'by invitation');

    const ana = await come(server, 'Ana Silva');
    await ana.page.goto(await server.operatorsLink('invite', server.origin));
    await ana.page.getByText('Whoever runs this server invites you to join.').waitFor();
    await signUp(ana);
    await expect.poll(() => new URL(ana.page.url()).pathname).toBe('/');

    await openSettings(ana);
    const part = ana.page.getByRole('region', { name: 'Invites' });
    await part.getByLabel('How many people').fill('2');
    await part.getByRole('button', { name: 'Make a link' }).click();
    const link = await part.getByLabel('Link to pass on').inputValue();
    expect(link).toMatch(/\/join#[\w-]{43}$/);
    await ana.page.context().grantPermissions(['clipboard-write', 'clipboard-read']);
    await part.getByRole('button', { name: 'Copy link' }).click();
    await part.getByText('Copied.').waitFor();
    expect(await ana.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
    await part.getByText('2 of 2 places left').waitFor();
    await part.getByRole('list', { name: 'Open invites' }).scrollIntoViewIfNeeded();
    await shoot(ana.page, 'invites');
    await expectAccessible(ana.page, 'invites');

    const ben = await come(server, 'Ben Okafor');
    await ben.page.goto(link);
    await ben.page.getByText('Ana Silva invites you to join.').waitFor();
    await shoot(ben.page, 'invited');
    await expectAccessible(ben.page, 'invited');
    await signUp(ben);
    await ana.page.reload();
    await part.getByText('1 of 2 places left').waitFor();
    // Whoever is in already only goes in.
    await ben.page.goto(link);
    await ben.conversations.waitFor();
    await expect.poll(() => new URL(ben.page.url()).pathname).toBe('/');

    await part.getByRole('button', { name: /^Remove the invite/ }).click();
    await part.getByText('1 of 2 places left').waitFor({ state: 'detached' });
    await stranger.page.goto(link);
    await stranger.page.getByText('This link has been used, or has run out. Ask for a new invite.').waitFor();
    expect(await stranger.page.getByLabel('Display name').count()).toBe(0);
    await expectAccessible(stranger.page, 'an invite that has ended');
  });
});
