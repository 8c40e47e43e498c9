import type { Component } from 'solid-js';
import { Emblem } from './controls/Icon.tsx';

/** What stands beside the list while nothing is chosen. */
export const EmptyPage: Component = () => (
  <main class="pane pane--empty">
    <h1 class="unseen">Homing</h1>
    <Emblem />
    <p>Choose a conversation, or find somebody to write to.</p>
  </main>
);
