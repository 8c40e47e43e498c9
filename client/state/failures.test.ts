import { expect, test } from 'vitest';
import { NEUTRALISED } from '../../shared/close-codes.ts';
import { FAILURES } from './failures.ts';

test('[C6.3] whatever the server does not take has words', () => {
  for (const code of NEUTRALISED) expect(FAILURES[code]).toMatch(/^Not (sent|changed): .+\.$/);
});
