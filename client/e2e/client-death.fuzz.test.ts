import { afterAll, beforeAll, test } from 'vitest';
import { dieAtEveryMark } from './client-death.ts';
import { type KeptBrowser, makeKeptBrowser } from './kept-browser.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const ROUNDS = Number(process.env.ROUNDS ?? 100);
let kept: KeptBrowser;
beforeAll(async () => {
  kept = await makeKeptBrowser();
});
afterAll(async () => {
  await kept.remove();
});

test(`[F12] the browser killed ${ROUNDS} times at each point between the key and sent`, async () => {
  await dieAtEveryMark({ stage, kept, rounds: ROUNDS });
});
