import { type Chance, makeChance } from './chance.ts';

/** What people do. */
export const DOINGS = [
  ...['write', 'edit', 'remove', 'react', 'read', 'type', 'draft', 'mark'],
  ...['retry', 'open', 'close', 'show', 'contact', 'answer', 'wait'],
] as const;
/** What happens to them: of these a seed has some. */
export const MISHAPS = [
  ...['cut', 'silence', 'stall', 'offline', 'http only', 'expiry', 'hostile'],
  ...['members', 'block', 'signed out'],
  ...['tab killed', 'tab frozen', 'browser crashed', 'disk', 'wipe', 'clock jumps'],
  ...['node killed', 'node restarted', 'listener lost', 'log away'],
] as const;

export interface Action {
  do: string;
  /** Picks who it happens to, among those who are there then. */
  who: number;
  /** How much of it. */
  much: number;
  /** Steps of the world until the next one. */
  steps: number;
}

/** Everything about a world that is decided before it runs; what happens in between the seed decides. */
export interface Plan {
  seed: number;
  people: number;
  groups: number;
  /** Whose each browser is. */
  browsers: number[];
  nodes: number;
  /** How often a commit fails, is lost on the way, or happens and nobody is told. */
  commits: { failed: number; lost: number; unknown: number };
  /** What becomes of hints between nodes. */
  hints: { dropped: number; doubled: number; off: boolean };
  /** How often time moves although something else could happen. */
  hurry: number;
  /** How far each browser's clock is off, milliseconds. */
  skews: number[];
  /** Whether the browsers' disk is the model or IndexedDB's own stand-in, which takes ten times as long. */
  disk: 'model' | 'indexed-db';
  actions: Action[];
}

/** Of so many seeds one has IndexedDB. */
const INDEXED_DB = 25;
/** Of so many one is a crowd. */
const CROWD = 30;
const DAY_MS = 24 * 60 * 60_000;

const WEIGHTS: Readonly<Record<string, number>> = {
  write: 12,
  edit: 4,
  remove: 3,
  react: 4,
  draft: 2,
  read: 2,
  open: 3,
  wait: 2,
  stall: 3,
  hostile: 5,
  members: 5,
  block: 4,
};
const OFTEN: Readonly<Record<string, number>> = { hostile: 0.33, members: 0.35, block: 0.25 };

function drawAction(chance: Chance, kinds: readonly string[]): Action {
  return { do: chance.oneOf(kinds)!, who: chance.int(1_000), much: chance.int(1_000), steps: chance.int(chance.oneOf([4, 20, 90])!) };
}

/** Draws a world: small ones mostly, each with some mishaps and without the others. */
export function drawPlan(seed: number): Plan {
  const chance = makeChance(seed);
  const isCrowd = seed % CROWD === 0;
  const people = isCrowd ? 4 : 2 + chance.int(2);
  const count = isCrowd ? 6 + chance.int(7) : 1 + people - chance.int(2) + chance.int(2);
  const browsers = Array.from({ length: count }, (_, i) => i % people);
  const mishaps = MISHAPS.filter((kind) => chance.happens(OFTEN[kind] ?? 0.22));
  const kinds = [...DOINGS, ...mishaps].flatMap((kind) => Array<string>(WEIGHTS[kind] ?? 1).fill(kind));
  const actions = Array.from({ length: 4 + chance.int(isCrowd ? 60 : chance.oneOf([12, 30])!) }, () => drawAction(chance, kinds));
  return {
    seed,
    people,
    browsers,
    groups: chance.oneOf([0, 1, 1, 2])!,
    nodes: chance.oneOf([1, 1, 2, 2, 3, 4])!,
    commits: {
      failed: chance.oneOf([0, 0, 0.05, 0.2])!,
      lost: chance.oneOf([0, 0, 0.05])!,
      unknown: chance.oneOf([0, 0, 0.05, 0.15])!,
    },
    hints: { dropped: chance.oneOf([0, 0, 0.3])!, doubled: chance.oneOf([0, 0.3])!, off: chance.happens(0.08) },
    hurry: chance.oneOf([0.005, 0.02, 0.1])!,
    skews: browsers.map(() => (chance.happens(0.2) ? chance.int(2 * DAY_MS) - DAY_MS : 0)),
    disk: seed % INDEXED_DB === 1 ? 'indexed-db' : 'model',
    actions,
  };
}

/** A plan as lines for people. */
export function describePlan({ seed, people, groups, browsers, nodes, disk, commits, hints, skews, actions }: Plan): string[] {
  return [
    `seed ${seed}: ${people} people at ${browsers.length} browsers (${disk}), ${groups} groups, ${nodes} nodes`,
    `commits ${JSON.stringify(commits)}, hints ${JSON.stringify(hints)}, clocks ${JSON.stringify(skews)}`,
    ...actions.map((action, i) => `${i + 1}. ${action.do} (${action.who}, ${action.much}), then ${action.steps} steps`),
  ];
}
