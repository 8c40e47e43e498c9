import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from './chromium.ts';

test('the Chromium that is found renders a page', async () => {
  const browser = await chromium.launch(await findChromium());
  try {
    const page = await browser.newPage();
    await page.setContent('<p>away</p><script>document.querySelector("p").textContent = "home"</script>');
    expect(await page.textContent('p')).toBe('home');
    const box = await page.locator('p').boundingBox();
    expect(box?.height).toBeGreaterThan(0);
  } finally {
    await browser.close();
  }
});
