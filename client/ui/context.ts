import { createContext, useContext } from 'solid-js';
import type { Account } from '../state/create-account.ts';
import type { Page } from '../state/create-page.ts';

export const AccountContext = createContext<Account>();
export const PageContext = createContext<Page>();

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('used outside of its provider');
  return value;
}

/** The account of this browser. */
export const useAccount = (): Account => present(useContext(AccountContext));
/** The page of the signed-in person. */
export const usePage = (): Page => present(useContext(PageContext));
