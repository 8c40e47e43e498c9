/** Joins lists one after another: the same list again while its parts are the same. */
export function makeJoined<T>(): (parts: readonly (readonly T[])[]) => readonly T[] {
  let known: readonly (readonly T[])[] = [];
  let joined: readonly T[] = [];
  return (parts) => {
    if (parts.length !== known.length || parts.some((part, i) => part !== known[i])) {
      known = parts;
      joined = parts.flat();
    }
    return joined;
  };
}
