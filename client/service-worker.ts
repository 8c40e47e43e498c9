import { sourceOf } from './platform/cache-policy.ts';

declare const self: ServiceWorkerGlobalScope;
/** Written in by the build: what the shell consists of, and the version that this makes. */
declare const PRECACHE: { version: string; paths: string[] };

/**
 * The app's start without a network. Install takes the whole shell into a cache of its version or fails; a new version waits until the last tab
 * is closed or a person consents (`apply`), and throws away older shells when it takes over. It keeps nothing but files of the build.
 */
const { version, paths } = PRECACHE;
const PREFIX = 'homing-shell-';
const SHELL = PREFIX + version;
const place = { origin: self.location.origin, precached: new Set(paths) };

/** Hashed files are the same for ever; the others are asked for anew. */
const asRequest = (path: string): Request => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'reload' });

async function install(): Promise<void> {
  const cache = await caches.open(SHELL);
  await cache.addAll(paths.map(asRequest));
}

async function dropOlderShells(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== SHELL).map((name) => caches.delete(name)));
}

async function fromCache(request: Request | string): Promise<Response> {
  const cache = await caches.open(SHELL);
  return (await cache.match(request)) ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(dropOlderShells()));
self.addEventListener('message', (event) => {
  if (event.data === 'apply') event.waitUntil(self.skipWaiting());
});
self.addEventListener('fetch', (event) => {
  const source = sourceOf(event.request, place);
  if (source !== 'network') event.respondWith(fromCache(source === 'shell' ? '/' : event.request));
});
