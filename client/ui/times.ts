/** Times as people read them, by the language and the time zone of the browser (C10.2). */
const hour = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dateOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
const daysAgo = (at: number, now: number): number => Math.round((midnight(now) - midnight(at)) / 86_400_000);

export const formatHour = (at: number): string => hour.format(at);

/** Today the hour, this week the day, else the date. */
export function formatShort(at: number, now: number): string {
  const days = daysAgo(at, now);
  if (days <= 0) return hour.format(at);
  if (days < 7) return weekday.format(at);
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? date.format(at) : dateOfYear.format(at);
}

/** When late mail was written: the hour, and the day where that is not the day it was sent. */
export const formatLate = (writtenAt: number, sentAt: number): string =>
  daysAgo(writtenAt, sentAt) === 0 ? hour.format(writtenAt) : `${date.format(writtenAt)}, ${hour.format(writtenAt)}`;

/** "Today", "yesterday", else the whole date. */
export function formatDay(at: number, now: number): string {
  const days = daysAgo(at, now);
  if (days <= 1) {
    const words = relative.format(-Math.max(0, days), 'day');
    return words.charAt(0).toLocaleUpperCase() + words.slice(1);
  }
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? longDate.format(at) : dateOfYear.format(at);
}

/** As it is said: the hour, and the day where that is not today. */
export const formatSpoken = (at: number, now: number): string =>
  daysAgo(at, now) <= 0 ? hour.format(at) : `${formatDay(at, now)} ${hour.format(at)}`;

export const formatExact = (at: number): string => new Date(at).toISOString();

/** A time some while ago or ahead, as it stands in a sentence: "today, 10:02", "3 Nov 2026, 10:02". */
export function formatMoment(at: number, now = Date.now()): string {
  const days = daysAgo(at, now);
  return `${days === 0 || days === 1 ? relative.format(-days, 'day') : dateOfYear.format(at)}, ${hour.format(at)}`;
}
