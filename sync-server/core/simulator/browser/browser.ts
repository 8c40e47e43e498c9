import type { Me } from '../../../../shared/api.ts';
import type { Uuid } from '../../../../shared/ids.ts';
import type { Chance } from '../chance.ts';
import type { Ledger } from '../oracle/ledger.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Scheduler } from '../scheduler.ts';
import { type Disk, makeDisk } from './disk.ts';
import type { Network } from './network.ts';
import { makeShared } from './shared.ts';
import { makeStorage } from './storage.ts';
import { type Tab, openTab } from './tab.ts';

/** A browser of one person: what outlives its tabs. */
export interface Browser {
  readonly me: Me;
  readonly disk: Disk;
  readonly network: Network;
  readonly tabs: Tab[];
  /** Milliseconds that its clock is off. */
  skew: number;
  open(): Tab;
  leave(tab: Tab, how: 'close' | 'kill'): void;
  setOnline(isOnline: boolean): void;
  /** Whether this tab holds the lock of those that move the outbox. */
  isMover(tab: Tab): boolean;
}

export interface BrowserDeps {
  me: Me;
  skew: number;
  network: Network;
  scheduler: Scheduler;
  chance: Chance;
  ledger: Ledger;
  store: MemoryStore;
  reached: Set<string>;
}

const moverLock = (account: Uuid): string => `homing/${account}/outbox`;

export function makeBrowser(deps: BrowserDeps): Browser {
  const { me, network, scheduler, chance, reached } = deps;
  const disk = makeDisk(scheduler, chance, reached);
  const shared = makeShared(scheduler);
  const browser: Browser = {
    me,
    disk,
    network,
    tabs: [],
    skew: deps.skew,
    isMover: ({ place }) => shared.holder(moverLock(me.id)) === place,
    open() {
      const tab = openTab({
        ...deps,
        ...network,
        shared,
        browser,
        skew: () => browser.skew,
        isOnline: () => network.isOnline,
        openStorage: (place, clock) => makeStorage(disk, place, clock),
        isOnDisk: (id) => disk.outbox.has(id),
      });
      browser.tabs.push(tab);
      return tab;
    },
    leave(tab, how) {
      const entries = how === 'kill' ? tab.sync.outbox.entries() : [];
      if (entries.some(({ id, kind }) => kind === 'message' && disk.outbox.has(id))) reached.add('crash between local write and send');
      if (how === 'kill' && browser.isMover(tab) && browser.tabs.length > 1) reached.add('leading tab died');
      browser.tabs.splice(browser.tabs.indexOf(tab), 1);
      tab[how]();
    },
    setOnline(isOnline) {
      network.isOnline = isOnline;
      if (!isOnline) network.cut();
      for (const { place, sync } of browser.tabs) place.later(() => sync.setOnline(network.isOnline));
    },
  };
  return browser;
}
