import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { DESKTOP, PHONE } from './person.ts';

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await source);
  // Colours that are still on their way are nobody's choice.
  const run = `Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))).then(() => axe.run(document))`;
  const results = await page.evaluate<AxeResults>(run);
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

/** No rule of axe is broken on this screen, in light and dark, on a desktop and on a phone. */
export async function expectAccessible(page: Page, screen: string): Promise<void> {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), `${screen}, ${size}, ${colorScheme}`).toEqual([]);
    }
  }
  await page.setViewportSize(DESKTOP);
}
