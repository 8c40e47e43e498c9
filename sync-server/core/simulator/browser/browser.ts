import type { Me } from '../../../../shared/api.ts';
import type { Uuid } from '../../../../shared/ids.ts';
import type { Chance } from '../chance.ts';
import { CLOSE } from '../../../../shared/close-codes.ts';
import type { Ledger } from '../oracle/ledger.ts';
import type { Rights } from '../oracle/rights.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Keep } from './keep.ts';
import type { Network } from './network.ts';
import { makeShared } from './shared.ts';
import { type Tab, openTab } from './tab.ts';

/** A browser of one person: what outlives its tabs. */
export interface Browser {
  readonly me: Me;
  readonly keep: Keep;
  readonly network: Network;
  readonly tabs: Tab[];
  /** Milliseconds that its clock is off. */
  skew: number;
  open(): Tab;
  leave(tab: Tab, how: 'close' | 'kill'): void;
  setOnline(isOnline: boolean): void;
  /** All that it kept is gone, and with it its tabs. */
  wipe(): void;
  /** Whether this tab holds the lock of those that move the outbox. */
  isMover(tab: Tab): boolean;
}

export interface BrowserDeps {
  me: Me;
  skew: number;
  keep: Keep;
  network: Network;
  scheduler: Scheduler;
  chance: Chance;
  ledger: Ledger;
  rights: Rights;
  store: MemoryStore;
  reached: Set<string>;
}

const moverLock = (account: Uuid): string => `homing/${account}/outbox`;

export function makeBrowser(deps: BrowserDeps): Browser {
  const { me, keep, network, scheduler, store, ledger, reached } = deps;
  const shared = makeShared(scheduler);
  /** Who was signed out finds nothing of theirs here any more, and signs in anew. */
  function onEnded(code: number): void {
    if (code !== CLOSE.unauthorized.code || !network.isRevoked()) return ledger.wrong(`[W4] a tab was ended with ${code}`);
    scheduler.soon(() => {
      if (!network.isRevoked()) return;
      browser.wipe();
      network.signIn();
      browser.open();
      reached.add('signed out');
    });
  }

  const browser: Browser = {
    me,
    keep,
    network,
    tabs: [],
    skew: deps.skew,
    isMover: ({ place }) => shared.holder(moverLock(me.id)) === place,
    open() {
      // It takes up what it finds begun on this device, and may be late with it.
      ledger.doubtDrafts(me.id);
      const tab = openTab({
        ...deps,
        ...network,
        shared,
        browser,
        skew: () => browser.skew,
        isOnline: () => network.isOnline,
        isAlone: () => browser.tabs.length === 1,
        openStorage: keep.openStorage,
        isOnDisk: keep.isOnDisk,
        onEnded,
      });
      browser.tabs.push(tab);
      return tab;
    },
    leave(tab, how) {
      const entries = how === 'kill' ? tab.sync.outbox.entries() : [];
      if (entries.some(({ id, kind }) => kind === 'message' && keep.isOnDisk(id) === true))
        reached.add('crash between local write and send');
      if (how === 'kill' && browser.isMover(tab) && browser.tabs.length > 1) reached.add('leading tab died');
      browser.tabs.splice(browser.tabs.indexOf(tab), 1);
      if (how === 'kill') keep.ended(tab.place);
      tab[how]();
    },
    wipe() {
      for (const tab of [...browser.tabs]) browser.leave(tab, 'kill');
      keep.wipe();
      ledger.wiped(browser, (id) => [...store.conversations.values()].some(({ messages }) => messages.has(id)));
    },
    setOnline(isOnline) {
      network.isOnline = isOnline;
      if (!isOnline) network.cut();
      for (const { place, sync } of browser.tabs) place.later(() => sync.setOnline(network.isOnline));
    },
  };
  return browser;
}
