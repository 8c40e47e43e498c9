/** A mistake, as changes of the product's own source: each `find` must stand in its file exactly once. */
export interface Planted {
  name: string;
  /** What is wrong, and which rule it breaks. */
  mistake: string;
  patches: readonly Patch[];
}

export interface Patch {
  file: string;
  find: string;
  replace: string;
}
