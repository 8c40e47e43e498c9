/** What a person chose for this device. */
export interface Preferences {
  /** `system`: as the device is set. */
  theme: 'system' | 'light' | 'dark';
  /** Which key of the composer sends: Enter, or Enter together with Ctrl (Command). The other makes a line. */
  sendKey: 'enter' | 'ctrl-enter';
}

/** The preferences of this device, shared by its tabs. */
export interface PreferencesMemory {
  read: () => Preferences;
  write: (preferences: Preferences) => void;
  /** Another tab changed them. */
  subscribe: (listener: () => void) => () => void;
}

const KEY = 'homing:preferences';
const CHOICES = { theme: ['system', 'light', 'dark'], sendKey: ['enter', 'ctrl-enter'] } as const;

/** The choice in a stored value; what is not one, or of another version, is the first. */
function choiceOf<T>(choices: readonly [T, ...T[]], value: unknown): T {
  return choices.find((choice) => choice === value) ?? choices[0];
}

/** Over the browser's small storage, which some do not even let a page ask for; where there is none, a choice holds for as long as the page. */
export function makePreferencesMemory(storage: () => Pick<Storage, 'getItem' | 'setItem'>, target: EventTarget): PreferencesMemory {
  function stored(): Record<string, unknown> {
    try {
      return Object(JSON.parse(storage().getItem(KEY) ?? '{}')) as Record<string, unknown>;
    } catch {
      return {};
    }
  }
  return {
    read() {
      const { theme, sendKey } = stored();
      return { theme: choiceOf(CHOICES.theme, theme), sendKey: choiceOf(CHOICES.sendKey, sendKey) };
    },
    write(preferences) {
      try {
        storage().setItem(KEY, JSON.stringify(preferences));
      } catch {
        // A browser that keeps nothing.
      }
    },
    subscribe(listener) {
      const onStorage = (event: Event & { key?: string | null }): void => {
        // Null: everything was cleared.
        if (event.key === KEY || event.key === null) listener();
      };
      target.addEventListener('storage', onStorage);
      return () => target.removeEventListener('storage', onStorage);
    },
  };
}
