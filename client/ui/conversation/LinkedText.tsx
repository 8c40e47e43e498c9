import { type Component, For } from 'solid-js';
import { linkedText } from './linked-text.ts';

/** A message's words with its links, which open beside the app and are told nothing of it. Text nodes and anchors, never markup. */
export const LinkedText: Component<{ text: string }> = (props) => (
  <For each={linkedText(props.text)}>
    {({ text, href }) =>
      href === null ? (
        text
      ) : (
        <a href={href} target="_blank" rel="noopener noreferrer nofollow">
          {text}
        </a>
      )
    }
  </For>
);
