import { expect, test } from 'vitest';
import { NEUTRALISED } from '../../shared/close-codes.ts';
import { FAILURES, REACTION_FAILURES } from './failures.ts';

test('[C6.3] whatever the server does not take has words', () => {
  for (const code of [...NEUTRALISED, 'gone', 'refused', 'unreadable'] as const) {
    expect(FAILURES[code]).toMatch(/^Not (sent|changed): .+\.$/);
    expect(REACTION_FAILURES[code]).toMatch(/^Your reaction was not taken.+\.$/);
  }
});
