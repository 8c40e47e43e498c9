import { A } from '@solidjs/router';
import { type Component, Match, Switch } from 'solid-js';
import type { DeviceStatus } from '../state/create-device-status.ts';
import { countOf } from './format.ts';

interface Props {
  status: DeviceStatus;
  /** How many messages are in this tab and nowhere else. */
  onlyHere: number;
}

/** Says when this device keeps nothing, and when it does so again; floats in a fixed place, so that nothing moves. */
export const DevicePill: Component<Props> = (props) => (
  <div
    role="status"
    aria-label="This device"
    class="pill"
    classList={{ 'pill--quiet': props.status === 'kept', 'pill--warning': props.status === 'memory' }}
  >
    <Switch>
      <Match when={props.status === 'memory' && props.onlyHere > 0}>
        <A href="/waiting" class="pill__link">
          {countOf(props.onlyHere, 'message')} only in this tab
        </A>
      </Match>
      <Match when={props.status === 'memory'}>This device keeps nothing just now</Match>
      <Match when={props.status === 'again'}>Kept on this device again</Match>
    </Switch>
  </div>
);
