/** The first byte of a struct in Yjs's first encoding: what it holds in the lower five bits, what is written of its place in the others. */
export const CONTENT = { mask: 0b11111, gc: 0, deleted: 1, any: 8, skip: 10 } as const;
export const HAS = { key: 0x20, rightOrigin: 0x40, origin: 0x80 } as const;
/** The first byte of a value: text, and a list of values. */
export const VALUE = { text: 119, list: 117 } as const;
