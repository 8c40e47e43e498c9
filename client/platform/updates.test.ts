import { expect, test } from 'vitest';
import { watchUpdates } from './updates.ts';

/** A container as a browser has it: one registration, whose worker may be waiting. */
function makeContainer({ isControlled }: { isControlled: boolean }) {
  const worker = Object.assign(new EventTarget(), { told: [] as unknown[], postMessage: (data: unknown) => void worker.told.push(data) });
  const workers: { installing: EventTarget | null; waiting: EventTarget | null } = { installing: null, waiting: null };
  const registration = Object.assign(new EventTarget(), workers);
  const container = Object.assign(new EventTarget(), { controller: isControlled ? {} : null, register: async () => registration });
  return {
    worker,
    container,
    async install() {
      registration.installing = worker;
      registration.dispatchEvent(new Event('updatefound'));
      registration.installing = null;
      registration.waiting = worker;
      worker.dispatchEvent(new Event('statechange'));
    },
  };
}

function watch(isControlled: boolean) {
  const seen: string[] = [];
  const world = makeContainer({ isControlled });
  const updates = watchUpdates({
    container: world.container as unknown as ServiceWorkerContainer,
    scriptUrl: '/sw.js',
    onReady: () => seen.push('ready'),
    reload: () => seen.push('reload'),
    every: () => {},
  });
  return { ...world, updates, seen };
}

test('[C11.5] a newer version is told and waits; the page is loaded anew only after consent', async () => {
  const { install, container, worker, updates, seen } = watch(true);
  await Promise.resolve();
  await install();
  expect(seen).toEqual(['ready']);
  container.dispatchEvent(new Event('controllerchange'));
  expect(seen).toEqual(['ready']);
  updates.apply();
  expect(worker.told).toEqual(['apply']);
  container.dispatchEvent(new Event('controllerchange'));
  expect(seen).toEqual(['ready', 'reload']);
});

test('the first version is no update, and there is nothing to apply', async () => {
  const { install, container, worker, updates, seen } = watch(false);
  await Promise.resolve();
  updates.apply();
  await install();
  container.dispatchEvent(new Event('controllerchange'));
  expect([seen, worker.told]).toEqual([[], []]);
});
