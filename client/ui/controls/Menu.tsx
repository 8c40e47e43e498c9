import * as DropdownMenu from '@kobalte/core/dropdown-menu';
import { type Component, For, type JSX, Show, createSignal } from 'solid-js';
import { Icon, type IconName } from './Icon.tsx';
import './menu.css';

/** Something to be chosen from a menu. */
export interface Action {
  words: string;
  icon: IconName;
  isDangerous?: boolean;
  act: () => void;
}

interface ItemsProps {
  actions: readonly Action[];
  label: string;
  /** Of a menu without a button of its own: where the focus goes back to, and that a key opened it. */
  returnTo?: Element | null;
  startsAtFirst?: boolean;
}

/**
 * What is chosen is done when the menu is gone and the focus is back: it may open a dialog, or lead somewhere else. It stands in the page's
 * main part, with which it belongs together.
 */
const Items: Component<ItemsProps> = (props) => {
  let chosen: (() => void) | null = null;
  /** A menu without a button of its own is told by a key where to begin, after it has taken the focus: a timer after its mount (0.13.14). */
  function begin(content: HTMLElement): void {
    const press = (): boolean => content.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
    if (props.startsAtFirst) queueMicrotask(() => setTimeout(press));
  }
  function onClosed(event: Event): void {
    if (props.returnTo instanceof HTMLElement) {
      event.preventDefault();
      props.returnTo.focus({ preventScroll: true });
    }
    if (chosen) queueMicrotask(chosen);
    chosen = null;
  }
  return (
    <DropdownMenu.Portal mount={document.querySelector('main') ?? document.body}>
      <DropdownMenu.Content ref={begin} class="menu" aria-label={props.label} onCloseAutoFocus={onClosed}>
        <For each={props.actions}>
          {(action) => (
            <DropdownMenu.Item
              class="menu__item"
              classList={{ 'menu__item--dangerous': action.isDangerous ?? false }}
              onSelect={() => (chosen = action.act)}
            >
              <Icon name={action.icon} />
              <DropdownMenu.ItemLabel>{action.words}</DropdownMenu.ItemLabel>
            </DropdownMenu.Item>
          )}
        </For>
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  );
};

interface MenuButtonProps {
  label: string;
  actions: readonly Action[];
}

/** A round button with three dots, and what it offers. */
export const MenuButton: Component<MenuButtonProps> = (props) => {
  const [isOpen, setOpen] = createSignal(false);
  return (
    <DropdownMenu.Root open={isOpen()} onOpenChange={setOpen} modal={false} placement="bottom-end" gutter={4}>
      <DropdownMenu.Trigger class="round" aria-label={props.label} title={props.label}>
        <Icon name="dots" class="icon--strong" />
      </DropdownMenu.Trigger>
      <Items actions={props.actions} label={props.label} />
    </DropdownMenu.Root>
  );
};

/** A menu beside something that is there already; null: there is none. */
export interface Anchored {
  anchor: HTMLElement;
  isByKeyboard: boolean;
  label: string;
  actions: readonly Action[];
}

/** One menu for many things, of which one has it at a time. */
export function AnchoredMenu(props: { menu: Anchored | null; onClose: () => void }): JSX.Element {
  return (
    <Show when={props.menu} keyed>
      {({ anchor, isByKeyboard, label, actions }) => {
        const before = document.activeElement;
        return (
          <DropdownMenu.Root
            open
            onOpenChange={(open) => !open && props.onClose()}
            modal={false}
            placement="bottom"
            gutter={4}
            getAnchorRect={() => anchor.getBoundingClientRect()}
          >
            <Items actions={actions} label={label} returnTo={before} startsAtFirst={isByKeyboard} />
          </DropdownMenu.Root>
        );
      }}
    </Show>
  );
}
