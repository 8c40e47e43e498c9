/** A number on the app's icon where the browser can show one; nothing at zero, and nothing goes wrong elsewhere. */
export function showBadge(count: number, navigator: Pick<Navigator, 'setAppBadge' | 'clearAppBadge'>): void {
  if (!('setAppBadge' in navigator)) return;
  const shown = count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge();
  shown.catch(() => null);
}
