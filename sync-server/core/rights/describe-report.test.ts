import { describe, expect, test } from 'vitest';
import { describeReport, titleOf } from './describe-report.ts';
import type { Report } from './reports.ts';

const report: Report = {
  id: '01a20fa5-be15-7302-b4e9-2dc81245ad9a',
  reporterId: 'u1',
  reporter: 'grace',
  reportedId: 'u2',
  reported: null,
  conversationId: 'c',
  messageId: 'm2',
  reason: `They threaten me.\nAgain. ${'x'.repeat(80)}`,
  at: '2026-11-24T22:20:00.000Z',
  closedAt: null,
  messages: [
    { id: 'm1', seq: 1, senderId: 'u1', content: 'hello', sentAt: '2026-11-24T22:00:00Z' },
    { id: 'm2', seq: 2, senderId: 'u2', content: 'two\nlines \u001b[31mred\u0007\u202e', sentAt: '2026-11-24T22:01:00Z' },
    { id: 'm3', seq: 3, senderId: 'u3', content: null, sentAt: '2026-11-24T22:02:00Z' },
  ],
};

describe('[G4] a report on the operator’s screen', () => {
  test('is one line in a list', () => {
    expect(titleOf(report)).toBe(`${report.id}  open    2026-11-24 22:20 UTC  @grace about u2: They threaten me.`);
    expect(titleOf({ ...report, closedAt: '2026-11-25T00:00:00.000Z', reason: 'x'.repeat(80) })).toMatch(/closed.*x{60}…$/);
  });

  test('shows the reported message among the others, and nothing that moves the terminal', () => {
    const shown = describeReport({ ...report, closedAt: '2026-11-25T00:00:00.000Z' });
    expect(shown).toContain('>> 2026-11-24 22:01 UTC  u2\n       two\n       lines \ufffd[31mred\ufffd\ufffd');
    expect(shown).toContain('   2026-11-24 22:00 UTC  @grace\n       hello');
    expect(shown).toContain('u3\n       (deleted before the report)');
    expect(shown).toContain('closed 2026-11-25 00:00 UTC');
    expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
  });
});
