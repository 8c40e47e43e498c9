import { createRoot, createSignal, onCleanup } from 'solid-js';
import { render } from 'solid-js/web';
import { z } from 'zod';
import { systemClock, systemRandom } from '../shared/clock.ts';
import { createAccount } from './state/create-account.ts';
import { createPage } from './state/create-page.ts';
import { makeApi } from './sync/api.ts';
import { makeConversations } from './sync/conversations.ts';
import { makePending } from './sync/pending.ts';
import { makeOpenProvider } from './sync/provider.ts';
import { App } from './ui/App.tsx';
import './ui/theme.css';

// The page's CSP forbids code from strings, which zod would try.
z.config({ jitless: true });

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

createRoot(() => {
  const clock = systemClock;
  const account = createAccount(api);
  const isVisible = createFact(() => document.visibilityState === 'visible', document, 'visibilitychange');
  const hasFocus = createFact(() => document.hasFocus(), window, 'focus', 'blur');
  const isOnline = createFact(() => navigator.onLine, window, 'online', 'offline');
  const openConversations = (me: string): ReturnType<typeof makeConversations> =>
    makeConversations({
      me,
      clock,
      random: systemRandom,
      pending: makePending(),
      openProvider: makeOpenProvider({ url: syncUrl, renew: api.renew, clock, WebSocket }),
    });
  const openPage: Parameters<typeof App>[0]['openPage'] = (me) =>
    createPage({ api, me, clock, isVisible, hasFocus, isOnline, conversations: openConversations(me.id), onSignedOut: account.ended });

  void account.load();
  render(() => <App account={account} openPage={openPage} />, document.getElementById('root')!);
});
