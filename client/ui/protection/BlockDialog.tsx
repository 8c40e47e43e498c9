import type { Component } from 'solid-js';
import type { Uuid } from '../../../shared/ids.ts';
import { usePage } from '../context.ts';
import { Dialog } from '../controls/Dialog.tsx';

interface Props {
  userId: Uuid;
  name: string;
  isOpen: boolean;
  onClose: () => void;
  /** Of a request: it goes with the block. */
  onBlocked?: () => void;
}

/** What a block means, before it stands. */
export const BlockDialog: Component<Props> = (props) => {
  const { protection } = usePage();
  async function block(): Promise<void> {
    await protection.setBlocked(props.userId, true);
    props.onClose();
    props.onBlocked?.();
  }
  return (
    <Dialog title={`Block ${props.name}?`} isOpen={props.isOpen} onClose={() => props.onClose()}>
      <p>You cannot write to each other any more, they do not find you, and neither sees when the other reads or types.</p>
      <p class="quiet">They are not told. What was written stays, and you can take it back at any time.</p>
      <p class="dialog__actions">
        <button type="button" class="button button--plain button--small" onClick={() => props.onClose()}>
          Cancel
        </button>
        <button type="button" class="button button--danger button--small" onClick={() => void block()}>
          Block
        </button>
      </p>
    </Dialog>
  );
};
