/** Amounts as people read them, by the language of the browser (C10.2). */
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
const plural = new Intl.PluralRules('en');

/** "3 messages", "1 message". */
export const countOf = (count: number, one: string): string =>
  `${count.toLocaleString()} ${one}${plural.select(count) === 'one' ? '' : 's'}`;

/** "12 MB". */
export function formatBytes(bytes: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const amount = new Intl.NumberFormat(undefined, { style: 'unit', unit: units[step]!, unitDisplay: 'short', maximumFractionDigits: 1 });
  return amount.format(bytes / 1000 ** step);
}
