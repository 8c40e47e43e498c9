import { expect, test } from 'vitest';
import { makePreferencesMemory } from './preferences.ts';

function makeStorage(start: string | null = null) {
  let value = start;
  return { getItem: () => value, setItem: (_key: string, next: string) => void (value = next) };
}
const storageEvent = (key: string | null): Event => Object.assign(new Event('storage'), { key });

test('what was chosen is there again, in this tab and the next', () => {
  const storage = makeStorage();
  const memory = makePreferencesMemory(() => storage, new EventTarget());
  expect(memory.read()).toEqual({ theme: 'system', sendKey: 'enter' });
  memory.write({ theme: 'dark', sendKey: 'ctrl-enter' });
  expect(makePreferencesMemory(() => storage, new EventTarget()).read()).toEqual({ theme: 'dark', sendKey: 'ctrl-enter' });
});

test.each(['', '{', 'null', '7', '[]', '{"theme":"pink","sendKey":{}}'])('what nobody can have chosen is not: %s', (text) => {
  expect(makePreferencesMemory(() => makeStorage(text), new EventTarget()).read()).toEqual({ theme: 'system', sendKey: 'enter' });
});

test('a browser that keeps nothing breaks nothing', () => {
  const refuse = (): never => {
    throw new DOMException('no', 'SecurityError');
  };
  const memory = makePreferencesMemory(refuse, new EventTarget());
  memory.write({ theme: 'dark', sendKey: 'enter' });
  expect(memory.read()).toEqual({ theme: 'system', sendKey: 'enter' });
});

test('[C11.1] a change in another tab is told, one of something else is not', () => {
  const target = new EventTarget();
  let told = 0;
  const stop = makePreferencesMemory(() => makeStorage(), target).subscribe(() => (told += 1));
  target.dispatchEvent(storageEvent('homing:preferences'));
  target.dispatchEvent(storageEvent('homing:me'));
  target.dispatchEvent(storageEvent(null));
  stop();
  target.dispatchEvent(storageEvent('homing:preferences'));
  expect(told).toBe(2);
});
