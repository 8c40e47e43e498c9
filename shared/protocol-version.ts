/**
 * The version of wire and document shapes. It rises with every change that an older client or server would misread; the test beside
 * `protocol.ts` pins golden bytes.
 *
 * 1 · 2026-11-24 · first
 */
export const PROTOCOL_VERSION = 1;
/** The sub-protocol by which a connection asks for acks (types 120 and 121). */
export const SUB_PROTOCOL = 'homing.1';
/** The oldest version that the server still speaks; older ones are closed with `tooOld` (I1). */
export const OLDEST_VERSION = 1;
