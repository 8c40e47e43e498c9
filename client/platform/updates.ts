/** A newer version of the app that is here and waits. */
export interface Updates {
  /** Starts the newer version in this tab; nothing happens when there is none. */
  apply: () => void;
}

interface Options {
  container: ServiceWorkerContainer;
  /** The worker's address, as the page's policy takes it (`trusted-types.ts`). */
  scriptUrl: string;
  /** A newer version waits: it applies at the next launch by itself, or now by `apply`. */
  onReady: () => void;
  reload: () => void;
  /** Runs something again and again, so many milliseconds apart. */
  every: (ms: number, run: () => void) => void;
}

/** Once an hour a tab that stays open looks for a newer version. */
const LOOK_MS = 60 * 60_000;

/**
 * Registers the service worker. Only the tab in which a person consented is loaded anew, and no other is disturbed. Registration that fails
 * leaves an app that needs the network to start.
 */
export function watchUpdates({ container, scriptUrl, onReady, reload, every }: Options): Updates {
  let registration: ServiceWorkerRegistration | null = null;

  function look(): void {
    // The first version has nobody to replace.
    if (registration?.waiting && container.controller) onReady();
  }
  function watch(installing: ServiceWorker | null): void {
    installing?.addEventListener('statechange', look);
  }
  async function register(): Promise<void> {
    registration = await container.register(scriptUrl, { updateViaCache: 'none' });
    watch(registration.installing);
    registration.addEventListener('updatefound', () => watch(registration?.installing ?? null));
    look();
    every(LOOK_MS, () => void registration?.update().catch(() => null));
  }

  register().catch((error: unknown) => console.warn('The app will not start without a network.', error));
  return {
    apply() {
      if (!registration?.waiting) return;
      container.addEventListener('controllerchange', reload, { once: true });
      registration.waiting.postMessage('apply', []);
    },
  };
}
