import type { Clock } from '../../shared/clock.ts';
import type { Drafts } from './drafts.ts';
import type { Inbox } from './inbox.ts';
import { inTime } from './outbox/in-time.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { DeviceDatabase } from './storage/device-database.ts';
import type { ReplicaCache } from './storage/replica-cache.ts';

/** Whether this device keeps what is written here. */
export interface Keeping {
  /** From the first thing that it did not keep until a trial went well. */
  isFailing: () => boolean;
  close: () => void;
}

interface Deps {
  clock: Clock;
  database: Pick<DeviceDatabase, 'write' | 'onLoss'>;
  outbox: Pick<Outbox, 'status' | 'subscribe' | 'keepAgain'>;
  cache: Pick<ReplicaCache, 'isFailing' | 'subscribe' | 'keepAgain'>;
  drafts: Pick<Drafts, 'keepAgain'>;
  inbox: Pick<Inbox, 'keepAgain'>;
  onChange: () => void;
}

/** The trials of one failure come at such distances, twice as long each time. */
const FIRST_MS = 250;
const LAST_MS = 4_000;
/** What fails again within this time is the same failure. */
const CALM_MS = 30_000;
/** As much as a long message takes: where a little fits and that does not, nothing is well. */
const TRIAL = 'trial';
const TRIAL_VALUE = 'x'.repeat(16_384);

/** Watches over everything that is to be kept on the device. What it failed to hold, or has lost, it is given as soon as it takes it. */
export function watchKeeping({ clock, database, outbox, cache, drafts, inbox, onChange }: Deps): Keeping {
  let failing = false;
  let delay = FIRST_MS;
  let mendedAt = -Infinity;
  let cancel: (() => void) | null = null;
  let closed = false;

  function failed(): void {
    if (closed) return;
    if (!failing) {
      failing = true;
      if (clock.elapsed() - mendedAt > CALM_MS) delay = FIRST_MS;
      onChange();
    }
    cancel ??= clock.after(delay, () => void tryOut());
  }

  async function tryOut(): Promise<void> {
    delay = Math.min(delay * 2, LAST_MS);
    const hasWorked = await inTime(
      clock,
      database.write(TRIAL, TRIAL_VALUE).then(() => database.write(TRIAL, null)),
    ).then(
      () => true,
      () => false,
    );
    cancel = null;
    if (closed) return;
    if (!hasWorked) return failed();
    failing = false;
    mendedAt = clock.elapsed();
    cache.keepAgain();
    drafts.keepAgain();
    inbox.keepAgain();
    onChange();
  }

  const stops = [
    database.onLoss((loss) => {
      if (loss === 'cleared') outbox.keepAgain();
      failed();
    }),
    outbox.subscribe(() => outbox.status() === 'memory' && failed()),
    cache.subscribe(() => cache.isFailing() && failed()),
  ];

  return {
    isFailing: () => failing || outbox.status() === 'memory',
    close() {
      closed = true;
      cancel?.();
      for (const stop of stops) stop();
    },
  };
}
