/** Limits of the wire and of documents, each from `SPEC.md`. Sizes in bytes unless said otherwise; text in UTF-16 units. */
export const LIMITS = {
  /** A frame from a member (W6). */
  frame: 64 * 1024,
  /** One sync step 2 of a stock client: a segment's size (W6). */
  step2: 256 * 1024,
  /** One update (W6). */
  update: 32 * 1024,
  /** A message's body, in UTF-16 units (D6). */
  body: 8_000,
  /** Messages after which the server opens the next segment (D4). */
  segmentMessages: 500,
  /** Bytes after which the server opens the next segment (D4). */
  segmentBytes: 256 * 1024,
  /** Client ids after which the server opens the next segment (D4). */
  segmentClients: 500,
  /** Client ids after which a segment takes no further reactions (D4). */
  reactionClients: 2_000,
  /** Client ids that one person may bring into one document (A2): each start of a tab that writes there takes one. */
  personClients: 512,
  /** Bytes after which a segment takes no further reactions (D4). */
  reactionBytes: 1024 * 1024,
  /** Different emoji of one person on one message. */
  reactionsPerMessage: 20,
  /** An awareness entry (P2). */
  awareness: 512,
  /** Newest segments that a root names (D1). */
  rootSegments: 16,
  /** Channels open on one socket at once (W10). */
  channels: 256,
  /** An avatar as it is uploaded. */
  avatar: 5 * 1024 * 1024,
  /** A refused or foreign state vector may name at most this many client ids (W6). */
  stateVectorClients: 4_096,
} as const;

/** A message accepted more than this after it was written keeps both times (D5). */
export const LATE_AFTER_MS = 2 * 60_000;
/** The empty awareness frame is sent on a channel that was silent this long (W5). */
export const KEEP_ALIVE_MS = 20_000;
