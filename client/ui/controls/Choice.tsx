import { For, type JSX, createUniqueId } from 'solid-js';

interface Props<T extends string> {
  label: string;
  value: T;
  /** Each value with its words, in the order shown. */
  choices: readonly (readonly [T, string])[];
  onChoose: (value: T) => void;
}

/** One of a few, all of them seen: radio buttons in one row, with the keys of radio buttons. */
export function Choice<T extends string>(props: Props<T>): JSX.Element {
  const name = createUniqueId();
  return (
    <fieldset class="choice">
      <legend>{props.label}</legend>
      <div class="choice__row">
        <For each={props.choices}>
          {([value, words]) => (
            <label class="choice__one">
              <input type="radio" name={name} value={value} checked={props.value === value} onChange={() => props.onChoose(value)} />
              <span>{words}</span>
            </label>
          )}
        </For>
      </div>
    </fieldset>
  );
}
