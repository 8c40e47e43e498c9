/**
 * Paints page and browser bar in the theme that was chosen; with `system` the device decides. The bar has a colour per theme in
 * `index.html`: when one is chosen, it counts for both.
 */
export function showTheme(theme: 'system' | 'light' | 'dark', page: Document): void {
  if (theme === 'system') delete page.documentElement.dataset.theme;
  else page.documentElement.dataset.theme = theme;
  for (const bar of page.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    bar.dataset.theme ??= bar.media.includes('dark') ? 'dark' : 'light';
    const isChosen = bar.dataset.theme === theme;
    bar.media = isChosen ? '' : theme === 'system' ? `(prefers-color-scheme: ${bar.dataset.theme})` : 'not all';
  }
}
