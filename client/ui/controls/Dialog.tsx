import * as KobalteDialog from '@kobalte/core/dialog';
import { type ParentComponent, createComputed } from 'solid-js';
import './dialog.css';

interface Props {
  title: string;
  isOpen: boolean;
  onClose: () => void;
}

/** Asks or tells something that has to be settled first. Escape leaves it, and the focus goes back to where it was. */
export const Dialog: ParentComponent<Props> = (props) => {
  let before: Element | null = null;
  createComputed(() => {
    if (props.isOpen) before = document.activeElement;
  });
  /** It has no button of its own. */
  function onClosed(event: Event): void {
    event.preventDefault();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  }
  return (
    <KobalteDialog.Root open={props.isOpen} onOpenChange={(open) => !open && props.onClose()}>
      <KobalteDialog.Portal>
        <KobalteDialog.Overlay class="dialog__veil" />
        <div class="dialog__place">
          <KobalteDialog.Content class="dialog" onCloseAutoFocus={onClosed}>
            <KobalteDialog.Title class="dialog__title" dir="auto">
              {props.title}
            </KobalteDialog.Title>
            {props.children}
          </KobalteDialog.Content>
        </div>
      </KobalteDialog.Portal>
    </KobalteDialog.Root>
  );
};
