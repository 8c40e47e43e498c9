import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type Person, shellKept } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();

/** How bright the page is painted, from 0 to 255. */
async function brightness({ page }: Person): Promise<number> {
  const { channels } = await sharp(await page.screenshot())
    .removeAlpha()
    .stats();
  return channels.reduce((sum, { mean }) => sum + mean, 0) / channels.length;
}

for (const [device, chosen] of [
  ['light', 'Dark'],
  ['dark', 'Light'],
] as const)
  test(`[C10.3] on a ${device} device whose person chose ${chosen} the page is painted so before the app runs`, async () => {
    const ana = await stage.arrive('Ana Silva', stage.server.origin, { colorScheme: device, serviceWorkers: 'block' });
    const { page } = ana;
    await page.goto('/settings');
    await page.getByLabel(chosen).check();
    // The app's code does not come; what is painted now is the first frame.
    await page.route(/\/assets\/.*\.js$/, (route) => route.abort());
    await page.reload();
    expect(await page.locator('#root > *').count()).toBe(0);
    const light = await brightness(ana);
    if (chosen === 'Dark') expect(light).toBeLessThan(40);
    else expect(light).toBeGreaterThan(220);
  });

test('what paints the first frame is on the device for a start without a network', async () => {
  const ana = await stage.arrive('Ana Silva');
  await shellKept(ana);
  expect(await ana.page.evaluate(async () => (await caches.match('/theme.js'))?.status)).toBe(200);
});
