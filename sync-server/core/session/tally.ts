/** How many of something there are for each key, so many at once. */
export interface Tally {
  /** One more; false: there are too many. */
  enter(key: string): boolean;
  leave(key: string): void;
  /** Keys in memory. */
  size(): number;
}

export function makeTally(most: number): Tally {
  const counts = new Map<string, number>();
  return {
    enter(key) {
      const count = counts.get(key) ?? 0;
      if (count >= most) return false;
      counts.set(key, count + 1);
      return true;
    },
    leave(key) {
      const count = (counts.get(key) ?? 0) - 1;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    },
    size: () => counts.size,
  };
}
