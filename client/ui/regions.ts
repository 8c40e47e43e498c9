import { onCleanup } from 'solid-js';

/** Where the focus goes in a region: the stop of its list, else the first thing to type in or to press. */
const ENTRY = '[tabindex="0"], :is(a[href], button, input, textarea):not([tabindex="-1"])';
const REGIONS = '[data-region], main:not(:has([data-region]))';

/** A shortcut has no effect while a dialog is open (C2). */
export const isDialogOpen = (): boolean => document.querySelector('dialog[open], [role="dialog"], [role="alertdialog"]') !== null;

function entryOf(region: Element): HTMLElement | null {
  const entries = [...region.querySelectorAll<HTMLElement>(ENTRY)];
  return entries.find((element) => element.checkVisibility({ visibilityProperty: true })) ?? null;
}

/** Puts the focus into the region of this name. */
export function focusRegion(name: 'conversations' | 'header' | 'timeline' | 'composer'): void {
  const region = document.querySelector(`[data-region="${name}"]`);
  if (region) entryOf(region)?.focus();
}

/** F6 goes from region to region, with Shift back (C2): list, header, timeline, composer. */
export function createRegions(): void {
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'F6' || event.altKey || event.metaKey || isDialogOpen()) return;
    const regions = [...document.querySelectorAll(REGIONS)].filter((region) => entryOf(region) !== null);
    if (regions.length === 0) return;
    event.preventDefault();
    const at = regions.findIndex((region) => region.contains(document.activeElement));
    const step = event.shiftKey ? -1 : 1;
    const to = at === -1 ? (event.shiftKey ? regions.length - 1 : 0) : (at + step + regions.length) % regions.length;
    entryOf(regions[to]!)?.focus();
  }
  document.addEventListener('keydown', onKeyDown);
  onCleanup(() => document.removeEventListener('keydown', onKeyDown));
}
