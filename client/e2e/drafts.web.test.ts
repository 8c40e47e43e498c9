import { expect, test } from 'vitest';
import { type Person, openFromList, send, signIn, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive, come } = stage;

/** One more device of somebody. */
async function anotherDevice({ name, handle }: Person): Promise<Person> {
  const device = { ...(await come(name)), handle };
  await signIn(device);
  return device;
}
const value = ({ composer }: Person): Promise<string> => composer.inputValue();

test('[C11.1] what is begun on one device goes on on the other, is never written over while one writes, and is gone when it is sent', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(ana, ben);
  await send(ana, 'hello');
  const phone = await anotherDevice(ana);
  await openFromList(phone, ben);

  await ana.composer.pressSequentially('Shall we');
  await expect.poll(() => value(phone)).toBe('Shall we');

  // Two write: on neither screen does anything move, and whoever only looks on sees the newest.
  const tablet = await anotherDevice(ana);
  await openFromList(tablet, ben);
  await phone.composer.pressSequentially(' meet');
  await expect.poll(() => value(tablet)).toBe('Shall we meet');
  await ana.composer.pressSequentially(' go');
  await expect.poll(() => value(tablet)).toBe('Shall we go');
  expect([await value(ana), await value(phone)]).toEqual(['Shall we go', 'Shall we meet']);
  // Who stops sees it too.
  await phone.composer.blur();
  await expect.poll(() => value(phone)).toBe('Shall we go');

  // Another start finds it, and sending takes it away everywhere.
  await phone.page.reload();
  await expect.poll(() => value(phone)).toBe('Shall we go');
  await phone.composer.press('Enter');
  await expect.poll(() => texts(ana)).toEqual(['hello', 'Shall we go']);
  // Whoever has stopped writing, with the cursor still there, sees it too after a while.
  await expect.poll(async () => [await value(ana), await value(phone), await value(tablet)]).toEqual(['', '', '']);
});

test('[C6.6] what is begun without a network is on the other device when there is one again', async () => {
  const [ana, ben] = [await arrive('Ana Silva', stage.proxy.origin), await arrive('Ben Okafor')];
  await writeTo(ana, ben);
  await send(ana, 'hello');
  const phone = await anotherDevice(ana);
  await openFromList(phone, ben);
  stage.proxy.become({ kind: 'cut' });
  await ana.composer.pressSequentially('written in a tunnel');
  await expect.poll(() => ana.page.getByRole('status', { name: 'Connection' }).textContent()).not.toBe('Connected');
  stage.proxy.become({ kind: 'well' });
  await expect.poll(() => value(phone)).toBe('written in a tunnel');
});
