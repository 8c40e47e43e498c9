import { IN_THE_CLIENT } from './planted-client.ts';
import { IN_THE_CORE } from './planted-core.ts';
import type { Patch, Planted } from './planted-patch.ts';

/** The simulated world is small, so that its segments roll over and its batches overflow all the time. */
export const SMALL: readonly Patch[] = [
  { file: 'shared/limits.ts', find: 'segmentMessages: 500', replace: 'segmentMessages: 4' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_WORK = 512;', replace: 'const BATCH_WORK = 3;' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_ROOMS = 256;', replace: 'const BATCH_ROOMS = 2;' },
];

/** Mistakes that people make; every one of them is found. */
export const PLANTED: readonly Planted[] = [...IN_THE_CORE, ...IN_THE_CLIENT];
