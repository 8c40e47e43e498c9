import { type ParentComponent, Show } from 'solid-js';
import { Icon, type IconName } from './Icon.tsx';

/** A page or a list with nothing in it: what it is, in a few words, and below what to do. */
export const Blank: ParentComponent<{ sign: IconName; lead: string }> = (props) => (
  <div class="blank">
    <span class="blank__sign">
      <Icon name={props.sign} />
    </span>
    <p class="blank__lead">{props.lead}</p>
    <Show when={props.children}>{props.children}</Show>
  </div>
);
