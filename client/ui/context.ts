import { type Accessor, createContext, useContext } from 'solid-js';
import type { Me } from '../../shared/api.ts';
import type { AccountCare } from '../state/account-care.ts';
import type { Account } from '../state/create-account.ts';
import type { Entrance } from '../state/entrance.ts';
import type { Page } from '../state/create-page.ts';
import type { Anchor } from './conversation/scroll-owner.ts';

/** What a person chooses for this device. */
export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  /** Which key of the composer sends; the other makes a line. */
  sendKey: 'enter' | 'ctrl-enter';
}

/** What the app asks of the device it runs on. */
export interface Platform {
  /** A newer version is here and starts at the next launch. */
  isUpdateReady: Accessor<boolean>;
  applyUpdate: () => void;
  storage: {
    persist: () => Promise<boolean>;
    state: () => Promise<{ isPersistent: boolean; usedBytes: number; quotaBytes: number }>;
  };
  showBadge: (count: number) => void;
  preferences: Accessor<Preferences>;
  prefer: (change: Partial<Preferences>) => void;
}

/** Where a reader was in each conversation, by message and not by pixel (C5.7). */
export type Places = Map<string, Anchor>;

export const PlatformContext = createContext<Platform>();
export const AccountContext = createContext<Account>();
export const EntranceContext = createContext<Entrance>();
export const AccountCareContext = createContext<AccountCare>();
export const PageContext = createContext<Page>();
export const MeContext = createContext<Accessor<Me>>();
export const PlacesContext = createContext<Places>();

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('used outside of its provider');
  return value;
}

export const usePlatform = (): Platform => present(useContext(PlatformContext));
/** The account of this browser. */
export const useAccount = (): Account => present(useContext(AccountContext));
/** What can be done before one is signed in. */
export const useEntrance = (): Entrance => present(useContext(EntranceContext));
/** What a signed-in person does with their account. */
export const useAccountCare = (): AccountCare => present(useContext(AccountCareContext));
/** The page of the signed-in person. */
export const usePage = (): Page => present(useContext(PageContext));
/** Who is signed in, as they are known now. */
export const useMe = (): Accessor<Me> => present(useContext(MeContext));
export const usePlaces = (): Places => present(useContext(PlacesContext));
