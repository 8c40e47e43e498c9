import { useNavigate } from '@solidjs/router';
import { type Component, Show, createSignal } from 'solid-js';
import type { ConversationRow } from '../../state/create-conversation-list.ts';
import { usePage } from '../context.ts';
import { BlockDialog } from '../protection/BlockDialog.tsx';
import { focusRegion } from '../regions.ts';

interface Props {
  row: ConversationRow;
  /** Reports the newest message; null: there is none to be reported. */
  onReport: (() => void) | null;
  /** It is a conversation from now on. */
  onAccepted: () => void;
}

/** Stands where one writes until a stranger's request is answered. */
export const RequestBar: Component<Props> = (props) => {
  const { list } = usePage();
  const navigate = useNavigate();
  const [isBlocking, setBlocking] = createSignal(false);

  function decline(): void {
    list.decline(props.row.id);
    navigate(list.requests.length > 0 ? '/requests' : '/');
    queueMicrotask(() => focusRegion('conversations'));
  }
  function accept(): void {
    list.accept(props.row.id);
    props.onAccepted();
  }

  return (
    <section class="stand-in" aria-label="Message request" data-region="composer">
      <p class="stand-in__lead" dir="auto">
        <Show
          when={props.row.otherId}
          fallback={
            <>
              Somebody you do not know added you to <strong>{props.row.name}</strong>.
            </>
          }
        >
          <strong>{props.row.name}</strong> wants to write to you. You have not written to each other before.
        </Show>
      </p>
      <p class="quiet">Until you accept, nobody here learns that you have seen this.</p>
      <p class="stand-in__actions">
        <Show when={props.row.otherId}>
          <button type="button" class="button button--danger button--small" onClick={() => setBlocking(true)}>
            Block
          </button>
        </Show>
        <button type="button" class="button button--plain button--small" onClick={decline}>
          {props.row.otherId ? 'Delete' : 'Leave'}
        </button>
        <button type="button" class="button button--primary button--small" onClick={accept}>
          Accept
        </button>
      </p>
      <Show when={props.onReport}>
        {(report) => (
          <p>
            <button type="button" class="link" onClick={() => report()()}>
              Report
            </button>
          </p>
        )}
      </Show>
      <Show when={props.row.otherId}>
        {(otherId) => (
          <BlockDialog
            userId={otherId()}
            name={props.row.name}
            isOpen={isBlocking()}
            onClose={() => setBlocking(false)}
            onBlocked={decline}
          />
        )}
      </Show>
    </section>
  );
};
