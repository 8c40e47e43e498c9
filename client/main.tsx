import './platform/schemas-without-code.ts';
import { createRenderEffect, createRoot, createSignal, onCleanup } from 'solid-js';
import { render } from 'solid-js/web';
import { systemClock, systemRandom } from '../shared/clock.ts';
import { makeAccountCare } from './state/account-care.ts';
import { createAccount } from './state/create-account.ts';
import { makeEntrance } from './state/entrance.ts';
import { showBadge } from './platform/badge.ts';
import { makePasskeyDevice } from './platform/passkeys.ts';
import { makePreferencesMemory } from './platform/preferences.ts';
import { makeDeviceStorage } from './platform/storage.ts';
import { showTheme } from './platform/theme.ts';
import { type TrustedTypes, trustWorker } from './platform/trusted-types.ts';
import { watchUpdates } from './platform/updates.ts';
import { createPage } from './state/create-page.ts';
import { makeApi } from './sync/api.ts';
import { openSync } from './sync/open-sync.ts';
import { openDeviceStorage } from './sync/storage/device-storage.ts';
import { makeAccountMemory } from './sync/storage/account-memory.ts';
import { App } from './ui/App.tsx';
import type { Platform } from './ui/context.ts';
import './ui/theme.css';

const api = makeApi({ fetch: (...request) => fetch(...request), locks: navigator.locks });
const syncUrl = `${location.origin.replace(/^http/, 'ws')}/api/sync`;

/** A fact of the browser that changes with events. */
function createFact(read: () => boolean, target: EventTarget, ...events: string[]): () => boolean {
  const [value, setValue] = createSignal(read());
  const look = (): boolean => setValue(read());
  for (const event of events) target.addEventListener(event, look);
  onCleanup(() => events.forEach((event) => target.removeEventListener(event, look)));
  return value;
}

/** What a person chose for this device, in all its tabs; the page is painted by it. */
function createPreferences(): Pick<Platform, 'preferences' | 'prefer'> {
  const memory = makePreferencesMemory(() => localStorage, window);
  const [preferences, setPreferences] = createSignal(memory.read());
  onCleanup(memory.subscribe(() => setPreferences(memory.read())));
  createRenderEffect(() => showTheme(preferences().theme, document));
  return { preferences, prefer: (change) => memory.write(setPreferences((before) => ({ ...before, ...change }))) };
}

/** What this page runs on; without service workers the app needs a network to start. */
function createPlatform(): Platform {
  const [isUpdateReady, setUpdateReady] = createSignal(false);
  const every = (ms: number, run: () => void): void => void setInterval(run, ms);
  const updates =
    import.meta.env.PROD && 'serviceWorker' in navigator
      ? watchUpdates({
          container: navigator.serviceWorker,
          scriptUrl: trustWorker((globalThis as { trustedTypes?: TrustedTypes }).trustedTypes),
          onReady: () => setUpdateReady(true),
          reload: () => location.reload(),
          every,
        })
      : null;
  return {
    isUpdateReady,
    applyUpdate: () => updates?.apply(),
    storage: makeDeviceStorage(navigator.storage),
    showBadge: (count) => showBadge(count, navigator),
    ...createPreferences(),
  };
}

createRoot(() => {
  const clock = systemClock;
  const makeChannel = (name: string): BroadcastChannel => new BroadcastChannel(name);
  const account = createAccount(api, makeAccountMemory({ makeChannel, clock }));
  const isVisible = createFact(() => document.visibilityState === 'visible', document, 'visibilitychange');
  const hasFocus = createFact(() => document.hasFocus(), window, 'focus', 'blur');
  const isOnline = createFact(() => navigator.onLine, window, 'online', 'offline');
  const openPage: Parameters<typeof App>[0]['openPage'] = (me) =>
    createPage({
      api,
      me,
      clock,
      isVisible,
      hasFocus,
      isOnline,
      onKeepsAgain: account.keepAgain,
      sync: openSync({
        me,
        api,
        storage: openDeviceStorage(me.id, clock, systemRandom),
        url: syncUrl,
        WebSocket,
        locks: navigator.locks,
        makeChannel,
        clock,
        random: systemRandom,
        isOnline: () => navigator.onLine,
        onEnded: account.ended,
      }),
    });

  const device = makePasskeyDevice({ hostname: location.hostname, isSecureContext });
  const entrance = makeEntrance({ api, account, device });
  const care = makeAccountCare({ api, account, device, origin: location.origin });

  void account.load();
  render(
    () => <App account={account} entrance={entrance} care={care} platform={createPlatform()} openPage={openPage} />,
    document.getElementById('root')!,
  );
});
