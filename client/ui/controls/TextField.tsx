import { type Component, type JSX, Show, createUniqueId, splitProps } from 'solid-js';

interface Props extends JSX.InputHTMLAttributes<HTMLInputElement> {
  label: string;
  /** What a person should know before writing. */
  hint?: string;
  /** What is wrong with what was written. */
  error?: string | undefined;
}

/** A labelled field; hint and error are read with it, and have one fixed place. */
export const TextField: Component<Props> = (props) => {
  const [own, rest] = splitProps(props, ['label', 'hint', 'error']);
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{own.label}</label>
      <input {...rest} id={id} aria-describedby={`${id}-note`} aria-invalid={own.error ? true : undefined} />
      <p id={`${id}-note`} class="field__note" classList={{ 'field__note--error': own.error !== undefined }}>
        <Show when={own.error} fallback={own.hint}>
          {own.error}
        </Show>
      </p>
    </div>
  );
};
