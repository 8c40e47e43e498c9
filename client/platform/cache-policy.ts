/** Where the service worker takes an answer from. `network`: it stays out of the way, and nothing is kept. */
export type Source = 'shell' | 'cache' | 'network';

interface Asked {
  method: string;
  /** `navigate` for a page. */
  mode: string;
  url: string;
}

/** Paths that are never a place in the app. */
const NO_PAGE = /^\/(api|metrics)(\/|$)|\.[a-z0-9]+$/;

/**
 * Pages are the precached shell, whatever their path: a start needs no network, and shell and assets are of one version. Files of the build come
 * from the cache first. Everything else, and the API above all, goes to the network.
 */
export function sourceOf({ method, mode, url }: Asked, { origin, precached }: { origin: string; precached: ReadonlySet<string> }): Source {
  const { origin: asked, pathname } = new URL(url);
  if (method !== 'GET' || asked !== origin) return 'network';
  if (mode === 'navigate' && !NO_PAGE.test(pathname)) return 'shell';
  return pathname.startsWith('/assets/') || precached.has(pathname) ? 'cache' : 'network';
}

/** Hashed files of older builds stay so long: for those who still run them, and ask for one more of them. */
const KEPT_MS = 30 * 24 * 60 * 60_000;

/** Which hashed files are of no use any more: no part of this build, and last built longer ago than anybody runs an old page. */
export const outdated = (
  files: readonly { name: string; builtAt: number }[],
  { current, now }: { current: ReadonlySet<string>; now: number },
): string[] => files.filter(({ name, builtAt }) => !current.has(name) && now - builtAt > KEPT_MS).map(({ name }) => name);
