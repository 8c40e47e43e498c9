import { createRoute } from '@hono/zod-openapi';
import { reportAnswer, reportBody } from '../../../shared/api.ts';
import { makeUuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { problem } from '../problem.ts';
import { refuseAfter } from '../rate-limit.ts';
import { type App, type RouteDeps, jsonAnswer, jsonBody, problems, security } from '../route.ts';

/** Asking the operator to look at a message: the server keeps its own copy of it and of what stood around it (G4). */
export function addReportRoutes(app: App, { reports, limits, clock, random, signedIn }: RouteDeps): void {
  app.openapi(
    createRoute({
      middleware: signedIn,
      security,
      method: 'post',
      path: '/api/reports',
      request: { body: jsonBody(reportBody) },
      responses: {
        200: jsonAnswer('This message was reported before.', reportAnswer),
        201: jsonAnswer('The operator is asked to look at it.', reportAnswer),
        ...problems,
      },
    }),
    async (c) => {
      const { userId } = c.var.viewer;
      const now = clock.now();
      refuseAfter(limits.report(userId, clock.elapsed()));
      const filing = { ...c.req.valid('json'), id: makeUuid(now, random), reporterId: userId, now };
      const report = await reports.file(filing, LIMITS.openReports);
      if (!report) throw problem('not-found', 'There is no such message of somebody else.');
      if (report === 'too-many') throw problem('too-many', 'The operator has not looked at your earlier reports yet.');
      return c.json({ id: report.id }, report.filed ? 201 : 200);
    },
  );
}
