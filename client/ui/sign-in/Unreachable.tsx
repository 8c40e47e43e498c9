import type { Component } from 'solid-js';
import { useAccount } from '../context.ts';
import { Emblem } from '../controls/Icon.tsx';

/** Nobody answered, so nobody knows who is here. */
export const Unreachable: Component = () => {
  const account = useAccount();
  return (
    <main class="entrance">
      <div class="entrance__form">
        <Emblem />
        <h1>Homing cannot be reached</h1>
        <p class="entrance__lead">
          Please check your connection. The first sign-in on a device needs one; after that Homing opens without.
        </p>
        <button type="button" class="button button--primary" onClick={() => void account.load()}>
          Try again
        </button>
      </div>
    </main>
  );
};
