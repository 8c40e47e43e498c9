import { test } from 'vitest';
import { expectSteady } from './long-thread.ts';
import { setStage } from './stage.ts';

const { arrive } = setStage();
const COUNT = 10_000;

test(`[C5.9] with ${COUNT} messages loaded few rows are in the document, and neither an arrival nor a key costs more than before`, async () => {
  await expectSteady(await arrive('Ana Silva'), await arrive('Ben Okafor'), COUNT);
});
