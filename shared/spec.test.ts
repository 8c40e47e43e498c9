import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, isTest, sources } from './test-sources.ts';

/** Rules that no test cites yet. The list only ever gets shorter. */
const WITHOUT_A_TEST: string[] = [];
/** Letters of rules that tests cite and `SPEC.md` has no section for; Q and V are the simulator's (`core/simulator/oracle`). */
const WITHOUT_A_SECTION = ['C', 'F', 'Q', 'V'];

const rules = [...readFileSync(join(ROOT, 'shared/SPEC.md'), 'utf8').matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]!);

/** `[L1, L3-L5]` names L1, L3, L4 and L5. */
function rulesOf(citation: string): string[] {
  return citation.split(', ').flatMap((part) => {
    const [from, to] = part.split('-') as [string, string?];
    if (to === undefined) return from;
    const [first, last] = [Number(from.slice(1)), Number(to.slice(1))];
    return Array.from({ length: last - first + 1 }, (_, i) => `${from[0]}${first + i}`);
  });
}

/** A citation stands at the beginning of a test's name, alone or with others. */
const CITATION = /(?<=['"`]|\] )\[([A-Z]\d+(?:\.\d+)?(?:(?:, |-)[A-Z]\d+(?:\.\d+)?)*)\]/g;
const cited = new Map<string, string[]>();
for (const [path, text] of sources)
  if (isTest(path))
    for (const [, citation] of text.matchAll(CITATION))
      for (const rule of rulesOf(citation!)) cited.set(rule, [...(cited.get(rule) ?? []), path]);

test('a rule has one number', () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(new Set(rules).size).toBe(rules.length);
});

test('tests cite rules that exist', () => {
  const letters = new Set(rules.map((rule) => rule[0]!));
  const unknown = [...cited].filter(([rule]) => !rules.includes(rule));
  expect(unknown.filter(([rule]) => letters.has(rule[0]!))).toEqual([]);
  expect([...new Set(unknown.map(([rule]) => rule[0]!))].sort()).toEqual(WITHOUT_A_SECTION);
});

test('every rule is cited by a test', () => {
  expect(rules.filter((rule) => !cited.has(rule))).toEqual(WITHOUT_A_TEST);
});
