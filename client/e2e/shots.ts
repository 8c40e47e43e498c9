import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { DESKTOP, PHONE } from './person.ts';

/** Takes pictures to be looked at, in both sizes and themes, into a folder of their own. */
export function makeShots(name: string): (page: Page, screen: string) => Promise<void> {
  const folder = fileURLToPath(new URL(`../../.tmp/${name}/`, import.meta.url));
  return async (page, screen) => {
    await mkdir(folder, { recursive: true });
    for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.evaluate(async () => void (await Promise.allSettled(document.getAnimations().map((one) => one.finished))));
        await page.screenshot({ path: join(folder, `${screen}-${size}-${colorScheme}.png`) });
      }
    }
    await page.setViewportSize(DESKTOP);
  };
}
