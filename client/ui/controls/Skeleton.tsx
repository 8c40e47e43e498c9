import { type Component, For } from 'solid-js';

/** The shape of a list of rows that is still on its way. */
export const RowSkeletons: Component<{ count: number }> = (props) => (
  <div class="row-skeletons" aria-hidden="true">
    <For each={Array.from({ length: props.count })}>
      {() => (
        <div class="row">
          <span class="skeleton avatar-skeleton" />
          <span class="skeleton row__name" />
          <span class="skeleton row__preview" />
        </div>
      )}
    </For>
  </div>
);
