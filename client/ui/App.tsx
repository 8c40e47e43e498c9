import { Navigate, Route, type RouteSectionProps, Router } from '@solidjs/router';
import { type Accessor, type Component, type ParentProps, Match, Switch } from 'solid-js';
import type { Me } from '../../shared/api.ts';
import type { AccountCare } from '../state/account-care.ts';
import type { Account } from '../state/create-account.ts';
import type { Entrance } from '../state/entrance.ts';
import type { Page } from '../state/create-page.ts';
import './controls/controls.css';
import './shell.css';
import {
  AccountCareContext,
  AccountContext,
  EntranceContext,
  MeContext,
  PageContext,
  type Platform,
  PlatformContext,
  PlacesContext,
} from './context.ts';
import { ConversationPage } from './conversation/ConversationPage.tsx';
import { EmptyPage } from './EmptyPage.tsx';
import { ProfilePage } from './profile/ProfilePage.tsx';
import { RequestsPage } from './requests/RequestsPage.tsx';
import { SettingsPage } from './settings/SettingsPage.tsx';
import { Shell } from './Shell.tsx';
import { ResetPage } from './sign-in/ResetPage.tsx';
import { SignIn } from './sign-in/SignIn.tsx';
import { Unreachable } from './sign-in/Unreachable.tsx';
import { WaitingPage } from './waiting/WaitingPage.tsx';

interface Props {
  account: Account;
  entrance: Entrance;
  care: AccountCare;
  platform: Platform;
  openPage: (me: Me) => Page;
}

/** The page of one person: made anew for another one, and not when this one changes their name. */
const SignedIn: Component<ParentProps<{ me: Accessor<Me>; page: Page }>> = (props) => (
  <MeContext.Provider value={props.me}>
    <PageContext.Provider value={props.page}>
      <PlacesContext.Provider value={new Map()}>
        <Shell>{props.children}</Shell>
      </PlacesContext.Provider>
    </PageContext.Provider>
  </MeContext.Provider>
);

/** The whole app: who is here decides what the routes lead to. */
export const App: Component<Props> = (props) => {
  const signedIn = (): Me | null => {
    const state = props.account.state();
    return state.kind === 'signed-in' ? state.me : null;
  };
  const Gate: Component<RouteSectionProps> = (route) => (
    <Switch>
      <Match when={route.location.pathname === '/reset'}>
        <ResetPage />
      </Match>
      <Match when={props.account.state().kind === 'signed-out'}>
        <SignIn />
      </Match>
      <Match when={props.account.state().kind === 'unreachable'}>
        <Unreachable />
      </Match>
      <Match when={signedIn()?.id} keyed>
        {(_id) => {
          let last = signedIn()!;
          const page = props.openPage(last);
          return (
            <SignedIn me={() => (last = signedIn() ?? last)} page={page}>
              {route.children}
            </SignedIn>
          );
        }}
      </Match>
    </Switch>
  );
  return (
    <PlatformContext.Provider value={props.platform}>
      <AccountContext.Provider value={props.account}>
        <EntranceContext.Provider value={props.entrance}>
          <AccountCareContext.Provider value={props.care}>
            <Router root={Gate} preload={false}>
              <Route path="/" component={EmptyPage} />
              <Route path="/conversations/:id" component={ConversationPage} />
              <Route path="/people/:handle" component={ProfilePage} />
              <Route path="/settings" component={SettingsPage} />
              <Route path="/requests" component={RequestsPage} />
              <Route path="/waiting" component={WaitingPage} />
              <Route path="/join" component={() => <Navigate href="/" />} />
              <Route path="*" component={EmptyPage} />
            </Router>
          </AccountCareContext.Provider>
        </EntranceContext.Provider>
      </AccountContext.Provider>
    </PlatformContext.Provider>
  );
};
