import {
  WebAuthnAbortService,
  WebAuthnError,
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';
import type { CreatedPasskey, CreationOptions, RequestOptions, SignedPasskey } from '../../shared/account-api.ts';

/** Hosts that are no names have no passkeys. */
const isAddress = (hostname: string): boolean => hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
/** The person, or the device, did not want to; browsers tell these apart for nobody. */
const isCancelled = (error: unknown): boolean => error instanceof WebAuthnError || error instanceof DOMException;

async function sign(optionsJSON: RequestOptions, useBrowserAutofill: boolean): Promise<SignedPasskey | null> {
  try {
    const { id, rawId, response } = await startAuthentication({ optionsJSON, useBrowserAutofill, verifyBrowserAutofillInput: false });
    const { clientDataJSON, authenticatorData, signature, userHandle = '' } = response;
    const signed = { clientDataJSON, authenticatorData, signature, userHandle };
    return { id, rawId, type: 'public-key', response: signed, clientExtensionResults: {} };
  } catch (error) {
    if (isCancelled(error)) return null;
    throw error;
  }
}

/** Passkeys of this browser, at this address: one request to the device at a time, the next one ends the one before. */
export function makePasskeyDevice({ hostname, isSecureContext }: { hostname: string; isSecureContext: boolean }) {
  const isSupported = isSecureContext && browserSupportsWebAuthn() && !isAddress(hostname);
  return {
    isSupported,
    async make(optionsJSON: CreationOptions): Promise<{ kind: 'made'; passkey: CreatedPasskey } | { kind: 'known' | 'cancelled' }> {
      try {
        const { id, rawId, response } = await startRegistration({ optionsJSON });
        const { clientDataJSON, attestationObject } = response;
        const made = { clientDataJSON, attestationObject };
        return { kind: 'made', passkey: { id, rawId, type: 'public-key', response: made, clientExtensionResults: {} } };
      } catch (error) {
        if (error instanceof WebAuthnError && error.code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') return { kind: 'known' };
        if (isCancelled(error)) return { kind: 'cancelled' };
        throw error;
      }
    },
    sign: (options: RequestOptions) => sign(options, false),
    suggest: (options: RequestOptions) => sign(options, true),
    canSuggest: async () => isSupported && browserSupportsWebAuthnAutofill(),
    cancel: () => WebAuthnAbortService.cancelCeremony(),
  };
}
