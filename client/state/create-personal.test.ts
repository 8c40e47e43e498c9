import { createEffect, createRoot } from 'solid-js';
import { afterEach, expect, test } from 'vitest';
import type { ConversationMarks, Setting } from '../../shared/user-document.ts';
import type { Sync } from '../sync/open-sync.ts';
import { createPersonal } from './create-personal.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A private document whose content is the test's to say. */
function setUp() {
  const listeners = new Set<() => void>();
  const drafts = new Map<string, string>();
  const marks = new Map<string, ConversationMarks>();
  const settings = new Map<string, Setting>();
  let flushed = 0;
  const sync = {
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    drafts: {
      ready: Promise.resolve(),
      get: (id) => drafts.get(id) ?? '',
      set: (id, text) => void drafts.set(id, text),
      keepAgain: () => {},
      flush: () => void (flushed += 1),
      close: () => {},
    },
    personal: {
      marks: (id: string) => ({ ...marks.get(id) }),
      mark: (id: string, change: ConversationMarks) => (marks.set(id, { ...marks.get(id), ...change }), true),
      setting: (name: string) => settings.get(name) ?? null,
      set: (name: string, value: Setting) => (settings.set(name, value), true),
    } as Sync['personal'],
  } satisfies Pick<Sync, 'drafts' | 'personal' | 'subscribe'>;
  const notify = (): void => listeners.forEach((listener) => listener());
  return { sync, notify, drafts, flushed: () => flushed };
}

test('[C11.1] a draft and marks from another device run their readers, and nothing else does', () => {
  const { sync, notify, drafts, flushed } = setUp();
  const seen: unknown[] = [];
  const personal = createRoot((dispose) => {
    closers.push(dispose);
    const made = createPersonal(sync);
    const marks = made.createMarks('a');
    createEffect(() => seen.push(marks()));
    createEffect(() => seen.push(made.draft('a')));
    createEffect(() => seen.push(made.setting('density')));
    return made;
  });
  expect(seen.splice(0)).toEqual([{}, '', null]);
  personal.mark('a', { pin: 1 });
  drafts.set('a', 'from the other');
  personal.set('density', 'compact');
  notify();
  expect(seen.splice(0)).toEqual([{ pin: 1 }, 'from the other', 'compact']);
  // The same marks in another object are no news.
  notify();
  expect(seen.splice(0).filter((value) => typeof value === 'object')).toEqual([]);
  personal.setDraft('a', 'mine');
  personal.flushDrafts();
  expect([drafts.get('a'), flushed()]).toEqual(['mine', 1]);
});
