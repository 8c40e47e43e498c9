import { A } from '@solidjs/router';
import type { Component } from 'solid-js';
import { Icon } from './Icon.tsx';

/** On a phone, the way from a page to the list. */
export const BackLink: Component<{ words?: string }> = (props) => (
  <A href="/" class="round bar__back" aria-label={props.words ?? 'Back to conversations'}>
    <Icon name="back" />
  </A>
);
