import type { Plan } from '../plan.ts';

/** Plans that broke a promise once, as small as they could be made; they are run again by every `npm test`. */
export const KEPT: readonly { name: string; plan: Plan }[] = [];
