import type { Component, JSX } from 'solid-js';

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5.500 18.500 12 12 18.500',
  search: 'M11 4.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM16 16l4 4',
  down: 'M6 9.500l6 6 6-6',
  leave: 'M10 5H6.500A1.500 1.500 0 0 0 5 6.500v11A1.500 1.500 0 0 0 6.500 19H10M15 8l4 4-4 4M19 12h-9',
  close: 'M7 7l10 10M17 7 7 17',
  clock: 'M12 4.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15ZM12 8v4.200l2.800 1.800',
  check: 'M6 12.500l4 4 8-9',
  checks: 'M2.500 12.500l4 4 8-9M11 15.500l1 1 8.500-9',
  alert: 'M12 7v6M12 16.500v.01M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Z',
} as const;

export type IconName = keyof typeof PATHS;

/** A line icon; words for it stand beside it or on its button. */
export const Icon: Component<{ name: IconName; class?: string }> = (props) => (
  <svg class={`icon ${props.class ?? ''}`} viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[props.name]} />
  </svg>
);

/** The sign of Homing. */
export const Emblem = (): JSX.Element => <img class="emblem" src="/icon.svg" alt="" width="64" height="64" />;
