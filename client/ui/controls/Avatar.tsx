import { type Component, Show, createEffect, createSignal, on } from 'solid-js';
import { Icon } from './Icon.tsx';

interface Props {
  /** Decides the colours: the same everywhere. */
  id: string;
  name: string;
  /** A picture of the person's own; initials where there is none, or while it does not load. */
  url?: string | null | undefined;
  /** The account was deleted: nobody's colours, nobody's letters. */
  isGone?: boolean | undefined;
  size?: 'small' | 'medium' | 'large';
}

/** From blue over violet and magenta to orange: the neighbourhood of the signature. */
const FIRST_HUE = 215;
const HUES = 180;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function firstLetter(word: string | undefined): string {
  const [first] = graphemes.segment(word ?? '');
  return first?.segment ?? '';
}

/** First letters of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  return `${firstLetter(words[0])}${words.length > 1 ? firstLetter(words.at(-1)) : ''}`.toLocaleUpperCase();
}

/** A hue for an id, spread evenly over the neighbourhood. */
export const hueOf = (id: string): number =>
  FIRST_HUE + (new TextEncoder().encode(id).reduce((hash, byte) => (hash * 31 + byte) % 104_729, 7) % HUES);

/** A picture, or initials on a gradient of the person's own. Decoration: the name stands beside it. */
export const Avatar: Component<Props> = (props) => {
  const [isMissing, setMissing] = createSignal(false);
  createEffect(
    on(
      () => props.url,
      () => setMissing(false),
      { defer: true },
    ),
  );
  return (
    <span
      class={`avatar avatar--${props.size ?? 'medium'}`}
      classList={{ 'avatar--gone': props.isGone ?? false }}
      style={{ '--hue': hueOf(props.id) }}
      aria-hidden="true"
    >
      <Show when={props.isGone} fallback={initialsOf(props.name)}>
        <Icon name="person" />
      </Show>
      <Show when={isMissing() ? null : props.url}>
        {(url) => <img src={url()} alt="" decoding="async" draggable={false} onError={() => setMissing(true)} />}
      </Show>
    </span>
  );
};
