/** Where a request came in, as the browser sees it, and from where. */
export interface Place {
  /** The browser's side is TLS. */
  secure: boolean;
  /** Host and port, without the scheme's own port. */
  host: string;
  /** The peer's address; empty when it is not known. */
  address: string;
}

const listed = (header: string | null): string[] => (header ?? '').split(',').map((item) => item.trim());

/**
 * Whether the browser's side of the connection is TLS. Nothing ends TLS in this process; the proxy that does says so in
 * `X-Forwarded-Proto`. Whoever lies about it only gets cookies that do not come back.
 */
export const isSecure = (headers: Headers): boolean => listed(headers.get('x-forwarded-proto'))[0] === 'https';

/**
 * Reads where a request came in. Only a trusted proxy is believed about host and address: it passes on the host that the browser
 * asked, and adds the address that it saw as the last one.
 */
export function readPlace({ url, headers }: Pick<Request, 'url' | 'headers'>, peer: string, trustProxy: boolean): Place {
  const forwardedHost = trustProxy ? listed(headers.get('x-forwarded-host'))[0] : '';
  const forwardedFor = trustProxy ? listed(headers.get('x-forwarded-for')).at(-1) : '';
  const secure = isSecure(headers);
  return { secure, host: hostOf(secure, forwardedHost || new URL(url).host), address: forwardedFor || peer };
}

function hostOf(secure: boolean, host: string): string {
  const url = `${secure ? 'https' : 'http'}://${host}`;
  return URL.canParse(url) ? new URL(url).host : '';
}

/** The origins of our own pages at this place. Where TLS may end before us, `https` of the same host as well; over TLS, plain `http` is not. */
export function ownOrigins({ secure, host }: Pick<Place, 'secure' | 'host'>): string[] {
  if (host === '') return [];
  return secure ? [`https://${host}`] : [`https://${host}`, `http://${host}`];
}

/** Whether an `Origin` is one of our own or of the allowed ones, exactly as browsers write them (S3). */
export const isAllowedOrigin = (place: Pick<Place, 'secure' | 'host'>, origin: string, allowed: readonly string[]): boolean =>
  allowed.includes(origin) || ownOrigins(place).includes(origin);

/**
 * Whether a change or an upgrade comes from a foreign page (S3). Programs send no `Origin`: with a Bearer token, or without cookies,
 * they borrow nobody's rights. With cookies and no `Origin`, the browser must say that its own page, or its user, asked.
 */
export function isForeign(place: Place, headers: Headers, allowed: readonly string[]): boolean {
  const origin = headers.get('origin');
  if (origin !== null) return !isAllowedOrigin(place, origin, allowed);
  if (bearerToken(headers) !== undefined) return false;
  const site = headers.get('sec-fetch-site');
  return site === null ? hasOurCookies(headers) : site !== 'same-origin' && site !== 'none';
}

const hasOurCookies = (headers: Headers): boolean => /homing_(session|refresh)=/.test(headers.get('cookie') ?? '');

const BEARER = /^bearer +([^ ]+)$/i;

/** The token of an `Authorization: Bearer` header. */
export const bearerToken = (headers: Headers): string | undefined => BEARER.exec(headers.get('authorization') ?? '')?.[1];
