import { type Component, type JSX, Show, createUniqueId, splitProps } from 'solid-js';

interface FieldProps {
  label: string;
  /** What a person should know before writing. */
  hint?: string;
  /** What is wrong with what was written. */
  error?: string | undefined;
}

const Field: Component<FieldProps & { id: string; children: JSX.Element }> = (props) => (
  <div class="field">
    <label for={props.id}>{props.label}</label>
    {props.children}
    <p id={`${props.id}-note`} class="field__note" classList={{ 'field__note--error': props.error !== undefined }}>
      <Show when={props.error} fallback={props.hint}>
        {props.error}
      </Show>
    </p>
  </div>
);

/** A labelled field of one line; hint and error are read with it, and have one fixed place. */
export const TextField: Component<FieldProps & JSX.InputHTMLAttributes<HTMLInputElement>> = (props) => {
  const [own, rest] = splitProps(props, ['label', 'hint', 'error']);
  const id = createUniqueId();
  return (
    <Field {...own} id={id}>
      <input {...rest} id={id} aria-describedby={`${id}-note`} aria-invalid={own.error ? true : undefined} />
    </Field>
  );
};

/** A labelled field of several lines. */
export const TextArea: Component<FieldProps & JSX.TextareaHTMLAttributes<HTMLTextAreaElement>> = (props) => {
  const [own, rest] = splitProps(props, ['label', 'hint', 'error']);
  const id = createUniqueId();
  return (
    <Field {...own} id={id}>
      <textarea {...rest} id={id} aria-describedby={`${id}-note`} aria-invalid={own.error ? true : undefined} />
    </Field>
  );
};
