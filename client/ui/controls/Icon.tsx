import type { Component, JSX } from 'solid-js';

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5.500 18.500 12 12 18.500',
  search: 'M11 4.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM16 16l4 4',
  down: 'M6 9.500l6 6 6-6',
  leave: 'M10 5H6.500A1.500 1.500 0 0 0 5 6.500v11A1.500 1.500 0 0 0 6.500 19H10M15 8l4 4-4 4M19 12h-9',
  close: 'M7 7l10 10M17 7 7 17',
  clock: 'M12 4.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15ZM12 8v4.200l2.800 1.800',
  dots: 'M6 12v.01M12 12v.01M18 12v.01',
  key: 'M8 11.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM11 12.500l8-8M16.500 7l2.500 2.500M13.800 9.700l1.700 1.700',
  check: 'M6 12.500l4 4 8-9',
  checks: 'M2.500 12.500l4 4 8-9M11 15.500l1 1 8.500-9',
  settings: 'M4.500 7.500h8M17.500 7.500h2M15 5v5M4.500 16.500h2M11.500 16.500h8M9 14v5',
  person: 'M12 4.500a3.800 3.800 0 1 0 0 7.600 3.800 3.800 0 0 0 0-7.600ZM4.800 19.500c.6-3.400 3.500-5 7.200-5s6.600 1.600 7.200 5',
  picture:
    'M8.500 7 10 5h4l1.500 2H18a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2ZM12 9.700a3.300 3.300 0 1 0 0 6.600 3.300 3.300 0 0 0 0-6.600Z',
  edit: 'M5 19l.8-3.600L15.600 5.600a1.400 1.400 0 0 1 2 0l.8.8a1.400 1.400 0 0 1 0 2L8.600 18.200ZM14 7.500l2.500 2.500',
  remove: 'M5.500 7.500h13M10 7V5h4v2M7.500 7.500l.7 11.500h7.600l.7-11.500M10.500 11v4.500M13.500 11v4.500',
  copy: 'M9 9h9.500v9.500H9ZM6.500 15H5.500V5.500H15v1',
  again: 'M18.500 12a6.500 6.500 0 1 1-2-4.700M18.500 4.500v4h-4',
  update: 'M12 4v11M7.500 10.500 12 15l4.500-4.500M5 19.500h14',
  slow: 'M6 8.500h11l-3-3M18 15.500H7l3 3',
  block: 'M12 4.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15ZM6.700 6.700l10.600 10.600',
  flag: 'M6.500 20V4.500M6.500 5.500h11l-2.500 3.700 2.500 3.800h-11',
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
