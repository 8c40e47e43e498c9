import { parse, serialize } from 'hono/utils/cookie';
import { SIGN_IN_MS } from './refresh-token.ts';

/**
 * The two cookies (S3). The session's is kept by the browser as long as the refresh token, so that an expired one is still seen.
 * `__Host-` and `__Secure-` make a browser refuse them over plain HTTP, therefore they carry those names over TLS only.
 */
export const cookieNames = (secure: boolean): { session: string; refresh: string } =>
  secure
    ? { session: '__Host-homing_session', refresh: '__Secure-homing_refresh' }
    : { session: 'homing_session', refresh: 'homing_refresh' };

const REFRESH_PATH = '/api/auth';
const common = { httpOnly: true, sameSite: 'Lax', maxAge: SIGN_IN_MS / 1000 } as const;

/** `Set-Cookie` values that sign a browser in. */
export function signInCookies(secure: boolean, tokens: { access: string; refresh: string }): string[] {
  const { session, refresh } = cookieNames(secure);
  return [
    serialize(session, tokens.access, { ...common, secure, path: '/' }),
    serialize(refresh, tokens.refresh, { ...common, secure, path: REFRESH_PATH }),
  ];
}

const deviceName = (secure: boolean): string => (secure ? '__Secure-homing_device' : 'homing_device');
const DEVICE_S = 365 * 24 * 3_600;

/** The `Set-Cookie` value by which a browser is known again at the next log-in (S7); it signs nobody in, and outlives the log-out. */
export const deviceCookie = (secure: boolean, device: string): string =>
  serialize(deviceName(secure), device, { ...common, maxAge: DEVICE_S, secure, path: REFRESH_PATH });

const DEVICE = /^[\w-]{43}$/;

/** What a browser is known by; null when it has nothing of the form. */
export function readDeviceCookie(secure: boolean, header: string | null): string | null {
  const device = parse(header ?? '')[deviceName(secure)];
  return device !== undefined && DEVICE.test(device) ? device : null;
}

/** `Set-Cookie` values that sign a browser out. */
export function signOutCookies(secure: boolean): string[] {
  const { session, refresh } = cookieNames(secure);
  return [
    serialize(session, '', { ...common, secure, path: '/', maxAge: 0 }),
    serialize(refresh, '', { ...common, secure, path: REFRESH_PATH, maxAge: 0 }),
  ];
}

/** Our cookies of a request. */
export function readCookies(secure: boolean, header: string | null): { session: string | undefined; refresh: string | undefined } {
  const names = cookieNames(secure);
  const cookies = parse(header ?? '');
  return { session: cookies[names.session], refresh: cookies[names.refresh] };
}
