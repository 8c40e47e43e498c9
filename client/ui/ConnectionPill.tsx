import type { Component } from 'solid-js';
import type { ConnectionStatus } from '../state/create-connection-status.ts';

const WORDS: Record<ConnectionStatus, string> = { connected: 'Connected', connecting: 'Connecting…', offline: 'Waiting for network' };

/** Says when the connection is away; floats in a fixed place, so that nothing moves (C5.6). */
export const ConnectionPill: Component<{ status: ConnectionStatus }> = (props) => (
  <div role="status" aria-label="Connection" class="connection" classList={{ 'connection--quiet': props.status === 'connected' }}>
    {WORDS[props.status]}
  </div>
);
