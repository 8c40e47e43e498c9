import { writeFileSync } from 'node:fs';
import type { Measure, Row } from './measure.ts';

/** Runs the measures whose file name holds the first argument, prints a table, and leaves the figures as JSON. */
const [wanted = '', output = 'bench.json'] = process.argv.slice(2);
const measures = import.meta.glob<Measure>('./*.bench.ts', { eager: true, import: 'default' });
const rows: Row[] = [];

const cell = (row: Row): string =>
  [
    row.limit !== null && row.value > row.limit ? 'OVER' : '    ',
    row.value.toFixed(2).padStart(10),
    row.unit.padEnd(3),
    (row.limit === null ? '' : `≤ ${row.limit}`).padStart(8),
    row.measure,
    row.note ? `(${row.note})` : '',
  ].join('  ');

for (const [path, measure] of Object.entries(measures)) {
  if (!path.includes(wanted)) continue;
  process.stdout.write(`\n${path.slice(2, -'.bench.ts'.length)}\n`);
  for (const row of await measure()) {
    rows.push(row);
    process.stdout.write(`${cell(row)}\n`);
  }
}
writeFileSync(output, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
process.exitCode = rows.some(({ value, limit }) => limit !== null && value > limit) ? 1 : 0;
