import type { HttpBindings } from '@hono/node-server';

/** Where a request came in, as the browser sees it, and from where. */
export interface Place {
  /** Over TLS, as far as is known. */
  secure: boolean;
  /** Host and port, without the scheme's own port. */
  host: string;
  /** The peer's address; empty when it is not known. */
  address: string;
}

const lastOf = (header: string | undefined): string | undefined => header?.split(',').at(-1)?.trim();

/** Reads it from the socket and the URL; behind a trusted proxy from the headers that the nearest proxy wrote. */
export function readPlace(
  c: { req: { url: string; header(name: string): string | undefined }; env: Partial<HttpBindings> | undefined },
  trustProxy: boolean,
): Place {
  const forwarded = (name: string): string | undefined => (trustProxy ? lastOf(c.req.header(name)) : undefined);
  const url = new URL(c.req.url);
  const secure = (forwarded('x-forwarded-proto') ?? url.protocol.slice(0, -1)) === 'https';
  return {
    secure,
    host: hostOf(secure, forwarded('x-forwarded-host') ?? url.host),
    address: forwarded('x-forwarded-for') ?? c.env?.incoming?.socket.remoteAddress ?? '',
  };
}

function hostOf(secure: boolean, host: string): string {
  const url = `${secure ? 'https' : 'http'}://${host}`;
  return URL.canParse(url) ? new URL(url).host : '';
}

/**
 * Whether an `Origin` is the request's own host or one of the allowed ones, exactly as browsers write them (S3). Where TLS may end
 * before us, `https` of the same host is our own as well; over TLS, plain `http` is not.
 */
export function isAllowedOrigin({ secure, host }: Pick<Place, 'secure' | 'host'>, origin: string, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true;
  if (host === '') return false;
  return origin === `https://${host}` || (!secure && origin === `http://${host}`);
}

/**
 * Whether a change or an upgrade comes from a foreign page (S3). Programs send no `Origin`: with a Bearer token, or without cookies,
 * they borrow nobody's rights. With cookies and no `Origin`, the browser must say that its own page, or its user, asked.
 */
export function isForeign(place: Place, headers: Headers, hasCookies: boolean, allowed: readonly string[]): boolean {
  const origin = headers.get('origin');
  if (origin !== null) return !isAllowedOrigin(place, origin, allowed);
  if (bearerToken(headers) !== undefined) return false;
  const site = headers.get('sec-fetch-site');
  return site === null ? hasCookies : site !== 'same-origin' && site !== 'none';
}

const BEARER = /^bearer +([^ ]+)$/i;

/** The token of an `Authorization: Bearer` header. */
export const bearerToken = (headers: Headers): string | undefined => BEARER.exec(headers.get('authorization') ?? '')?.[1];
