/**
 * The one table of close codes (W4). A stock y-websocket provider stops for good on 4400 to 4499 and tries again on everything else,
 * so 44xx is only for what trying again cannot mend.
 */
export const CLOSE = {
  /** The node restarts or left the room's state in doubt: come back at once. */
  restart: { code: 1012, again: true, means: 'The server restarts.' },
  /** Overloaded, too slow, or a quarantined room: come back later. */
  tryLater: { code: 1013, again: true, means: 'The server is busy, or this connection is too slow.' },
  /** No session, one that never was valid, or a revoked one. */
  unauthorized: { code: 4401, again: false, means: 'Sign in.' },
  /** Was a member, is none any more. */
  notMember: { code: 4403, again: false, means: 'No longer a member of this conversation.' },
  /** No such document, or none that this person ever could see. */
  notFound: { code: 4404, again: false, means: 'There is no such document.' },
  /** A refused update; the reason is one of `REFUSALS`. */
  refused: { code: 4408, again: false, means: 'An update was refused.' },
  /** A frame over the limits of W6. */
  tooLarge: { code: 4413, again: false, means: 'The frame is too large.' },
  /** The client's protocol version is too old. */
  tooOld: { code: 4426, again: false, means: 'This version of the app is too old.' },
  /** The session's token ran out: renew it over HTTP and come back. */
  expired: { code: 4501, again: true, means: 'The session has expired.' },
} as const;

export type CloseName = keyof typeof CLOSE;

/** Reasons that may follow 4408 (A3). */
export const REFUSALS = ['malformed', 'foreign-lane', 'client-id', 'clock-reused', 'own-delete', 'restored'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why an entry was neutralised (A6), as told by a message of type 121. */
export const NEUTRALISED = ['closed', 'removed', 'duplicate', 'blocked', 'role', 'quota'] as const;
export type Neutralised = (typeof NEUTRALISED)[number];
