import { type Component, For, Show, createSignal } from 'solid-js';
import { useAccountCare } from '../context.ts';
import { createAsked } from '../create-asked.ts';
import { createAttempt } from '../create-attempt.ts';
import { Icon } from '../controls/Icon.tsx';
import { TextField } from '../controls/TextField.tsx';
import { countOf } from '../format.ts';
import { formatMoment } from '../times.ts';
import { Asked } from './Asked.tsx';
import './account.css';

/** A link that was just made: it is shown this once. */
const Link: Component<{ url: string }> = (props) => {
  const [isCopied, setCopied] = createSignal(false);
  let input!: HTMLInputElement;
  /** Where the browser gives no clipboard, the link is marked for copying by hand. */
  async function copy(): Promise<void> {
    input.select();
    await navigator.clipboard?.writeText(props.url).then(
      () => setCopied(true),
      () => {},
    );
  }
  return (
    <div class="account__link">
      <TextField ref={input} label="Link to pass on" hint="It is shown this once." value={props.url} readonly />
      <p class="settings__actions">
        <button type="button" class="button button--primary button--small" onClick={() => void copy()}>
          <Icon name="copy" />
          Copy link
        </button>
        <span role="status" class="quiet">
          {isCopied() ? 'Copied.' : ''}
        </span>
      </p>
    </div>
  );
};

/** This person's invites, where accounts are by invitation. */
export const InvitesPart: Component = () => {
  const care = useAccountCare();
  const isByInvitation = createAsked(() => true, care.isByInvitation);
  return (
    <Show when={isByInvitation.latest()}>
      <Invites />
    </Show>
  );
};

const Invites: Component = () => {
  const care = useAccountCare();
  const invites = createAsked(() => true, care.invites);
  const [uses, setUses] = createSignal(1);
  const [days, setDays] = createSignal(7);
  const [link, setLink] = createSignal<string | null>(null);
  let heading!: HTMLHeadingElement;
  const { attempt, isBusy, words, fieldError } = createAttempt();

  async function make(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const made = await attempt(() => care.invite(uses(), days()));
    if (!made) return;
    setLink(made.value);
    await invites.again();
  }
  async function remove(id: string): Promise<void> {
    await attempt(() => care.removeInvite(id));
    await invites.again();
    heading.focus();
  }

  return (
    <section class="settings__part" aria-labelledby="invites">
      <h2 ref={heading} id="invites" tabindex="-1">
        Invites
      </h2>
      <p class="quiet">New accounts are by invitation here. Make a link and pass it on.</p>
      <form class="settings__form" onSubmit={(event) => void make(event)}>
        <div class="account__numbers">
          <TextField
            label="How many people"
            error={fieldError('uses')}
            value={uses()}
            onInput={(event) => setUses(event.currentTarget.valueAsNumber)}
            type="number"
            min={1}
            max={20}
            required
          />
          <TextField
            label="For how many days"
            error={fieldError('days')}
            value={days()}
            onInput={(event) => setDays(event.currentTarget.valueAsNumber)}
            type="number"
            min={1}
            max={30}
            required
          />
        </div>
        <p class="settings__actions">
          <button type="submit" class="button button--plain button--small" aria-disabled={isBusy()}>
            Make a link
          </button>
          <span role="alert" class="field__note field__note--error">
            {words()}
          </span>
        </p>
      </form>
      <Show when={link()} keyed>
        {(url) => <Link url={url} />}
      </Show>
      <Asked outcome={invites.latest()} onAgain={() => void invites.again()}>
        {(found) => (
          <Show when={found().length > 0}>
            <ul class="account__list" aria-label="Open invites">
              <For each={found()}>
                {(invite) => (
                  <li class="account__row">
                    <p class="account__name">
                      {invite.usesLeft} of {countOf(invite.uses, 'place')} left
                    </p>
                    <p class="account__note">
                      Made {formatMoment(Date.parse(invite.createdAt))}, until {formatMoment(Date.parse(invite.expiresAt))}
                    </p>
                    <button
                      type="button"
                      class="button button--danger button--small"
                      aria-label={`Remove the invite from ${formatMoment(Date.parse(invite.createdAt))}`}
                      onClick={() => void remove(invite.id)}
                    >
                      Remove
                    </button>
                  </li>
                )}
              </For>
            </ul>
          </Show>
        )}
      </Asked>
    </section>
  );
};
