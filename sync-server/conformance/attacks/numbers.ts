/** The bytes of 2^32 - 1. */
export const HUGE = [0xff, 0xff, 0xff, 0xff, 0x0f];
/** What lib0 reads as infinity, and with one more byte in front as no number. */
export const INFINITE = [...Array.from({ length: 147 }, () => 0x80), 1];
