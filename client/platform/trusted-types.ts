/** What browsers with trusted types have for making them; no library of types knows it yet. */
export interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL: (url: string) => string };
}

const WORKER = '/sw.js';

/**
 * The address of the service worker, as a page takes it whose policy (`sync-server/http/static.ts`) wants trusted types: there the one
 * script address that anything can be made of. Compiled templates have a policy of their own (`vite.config.ts`).
 */
export function trustWorker(trustedTypes: TrustedTypes | undefined): string {
  if (!trustedTypes) return WORKER;
  return trustedTypes.createPolicy('service-worker', { createScriptURL: () => WORKER }).createScriptURL(WORKER);
}
