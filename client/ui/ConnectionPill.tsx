import { type Component, Show } from 'solid-js';
import type { ConnectionStatus } from '../state/create-connection-status.ts';
import { Icon } from './controls/Icon.tsx';

const WORDS: Record<ConnectionStatus, string> = { connected: 'Connected', connecting: 'Connecting…', offline: 'Waiting for network' };

interface Props {
  status: ConnectionStatus;
  /** WebSockets are blocked here: it goes on over HTTP, a little slower. */
  isSlow: boolean;
}

/** Says when the connection is away; floats in a fixed place, so that nothing moves (C5.6). */
export const ConnectionPill: Component<Props> = (props) => (
  <div
    role="status"
    aria-label="Connection"
    class="pill"
    classList={{
      'pill--quiet': props.status === 'connected' && !props.isSlow,
      'pill--slow': props.status === 'connected' && props.isSlow,
    }}
  >
    <Show when={props.status === 'connected' && props.isSlow} fallback={WORDS[props.status]}>
      <Icon name="slow" />
      <span class="unseen">Connected without a live line</span>
    </Show>
  </div>
);
