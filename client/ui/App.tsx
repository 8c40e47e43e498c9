import { Route, Router } from '@solidjs/router';
import { type Component, type ParentProps, Match, Switch } from 'solid-js';
import type { Me } from '../../shared/api.ts';
import type { Account } from '../state/create-account.ts';
import type { Page } from '../state/create-page.ts';
import './controls/controls.css';
import './shell.css';
import { AccountContext, PageContext } from './context.ts';
import { ConversationPage } from './conversation/ConversationPage.tsx';
import { EmptyPage } from './EmptyPage.tsx';
import { ProfilePage } from './profile/ProfilePage.tsx';
import { Shell } from './Shell.tsx';
import { SignIn } from './sign-in/SignIn.tsx';
import { Unreachable } from './sign-in/Unreachable.tsx';

interface Props {
  account: Account;
  openPage: (me: Me) => Page;
}

/** The whole app: who is here decides what the routes lead to. */
export const App: Component<Props> = (props) => {
  const signedIn = (): Me | null => {
    const state = props.account.state();
    return state.kind === 'signed-in' ? state.me : null;
  };
  const Gate: Component<ParentProps> = (route) => (
    <Switch>
      <Match when={props.account.state().kind === 'signed-out'}>
        <SignIn />
      </Match>
      <Match when={props.account.state().kind === 'unreachable'}>
        <Unreachable />
      </Match>
      <Match when={signedIn()} keyed>
        {(me) => (
          <PageContext.Provider value={props.openPage(me)}>
            <Shell>{route.children}</Shell>
          </PageContext.Provider>
        )}
      </Match>
    </Switch>
  );
  return (
    <AccountContext.Provider value={props.account}>
      <Router root={Gate} preload={false}>
        <Route path="/" component={EmptyPage} />
        <Route path="/conversations/:id" component={ConversationPage} />
        <Route path="/people/:handle" component={ProfilePage} />
        <Route path="*" component={EmptyPage} />
      </Router>
    </AccountContext.Provider>
  );
};
