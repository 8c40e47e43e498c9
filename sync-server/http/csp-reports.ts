import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../core/ports.ts';
import { problem } from './problem.ts';
import { makeLimiter } from '../core/session/limiter.ts';
import type { App } from './route.ts';

/** Where browsers tell of what the policy of `static.ts` has stopped: something in the app that should not be there, or an attack. */
export const CSP_REPORTS_PATH = '/api/csp-reports';

const text = z.string().max(2_000).catch('');
const report = z.object({
  'csp-report': z.object({ 'effective-directive': text, 'blocked-uri': text, 'source-file': text, 'line-number': z.number().catch(0) }),
});
/** As many as tell something; anybody may send them. */
const RATE = { burst: 20, perMinute: 10 };

/** Counts reports, and writes a few of them to the log, without what stands in addresses behind the path. */
export function addCspReportsRoute(
  app: App,
  { registry, logger, clock }: { registry: Registry; logger: Logger; clock: Pick<Clock, 'now' | 'elapsed'> },
): void {
  const limiter = makeLimiter(RATE);
  const reports = new Counter({
    name: 'homing_csp_reports_total',
    help: 'What browsers stopped by the page’s policy.',
    registers: [registry],
  });
  app.post(CSP_REPORTS_PATH, async (c) => {
    const read = report.safeParse(await c.req.json().catch(() => null));
    if (!read.success) throw problem('bad-request');
    reports.inc();
    const {
      'effective-directive': directive,
      'blocked-uri': blocked,
      'source-file': source,
      'line-number': line,
    } = read.data['csp-report'];
    if (limiter.take('', clock.elapsed()) === 0)
      logger.warn({ directive, blocked: plain(blocked), source: plain(source), line }, 'a browser stopped something');
    return c.body(null, 204);
  });
}

const plain = (address: string): string => address.replace(/[?#].*$/s, '');
