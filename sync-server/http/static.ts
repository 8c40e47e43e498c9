import { serveStatic } from '@hono/node-server/serve-static';
import type { MiddlewareHandler } from 'hono';
import { CSP_REPORTS_PATH } from './csp-reports.ts';
import { type App, type Env } from './route.ts';

/** What neither the app nor anything that gets into it may ask a person for. */
const PERMISSIONS = ['camera', 'microphone', 'geolocation', 'display-capture', 'payment', 'usb', 'serial', 'hid', 'midi']
  .map((name) => `${name}=()`)
  .join(', ');

/**
 * Security headers of every answer. Scripts, styles and images come from this origin alone; styles are set through the CSSOM, which needs no
 * exception, so templates must not carry `style` attributes in their markup. Text becomes markup only by the policy of compiled templates,
 * and a worker only from the one address (trusted types, `client/platform/trusted-types.ts`). Sockets are named because older Safari does
 * not count them to 'self'.
 */
export const securityHeaders: MiddlewareHandler<Env> = async (c, next) => {
  const { host, secure } = c.var.place;
  const sockets = host === '' ? '' : ` ${secure ? 'wss' : 'ws'}://${host}`;
  c.header(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      `connect-src 'self'${sockets}`,
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types solid-template service-worker',
      `report-uri ${CSP_REPORTS_PATH}`,
    ].join('; '),
  );
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cross-Origin-Opener-Policy', 'same-origin');
  c.header('Cross-Origin-Resource-Policy', 'same-origin');
  c.header('Permissions-Policy', PERMISSIONS);
  if (secure) c.header('Strict-Transport-Security', 'max-age=31536000');
  await next();
};

const REVALIDATE = 'no-cache';
const FOR_EVER = 'public, max-age=31536000, immutable';
/** Paths that are never a place in the app. */
const NO_PAGE = /^\/api(\/|$)|\.(js|css|map|json|webmanifest|png|svg|ico|woff2)$/;

/**
 * The built client: hashed assets for ever, everything else asked for anew, and the page itself for every path that may be a place in the
 * app. A missing asset is missing: the page in its stead would be taken for a script.
 */
export function addStaticRoutes(app: App, root: string): void {
  function files(cacheControl: string, path = ''): MiddlewareHandler<Env> {
    const serve = serveStatic<Env>({ root, path, precompressed: true });
    return async (c, next) => {
      const found = await serve(c, next);
      if (found instanceof Response) found.headers.set('Cache-Control', cacheControl);
      return found;
    };
  }
  const page = files(REVALIDATE, 'index.html');
  app.get('/assets/*', files(FOR_EVER), (c) => c.notFound());
  app.get('*', files(REVALIDATE), async (c, next) => (NO_PAGE.test(c.req.path) ? c.notFound() : page(c, next)));
}
