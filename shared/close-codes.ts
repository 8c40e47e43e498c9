/**
 * The one table of close codes (W4). A stock y-websocket provider stops for good on 4400 to 4499 and tries again on everything else,
 * so 44xx is only for what trying again cannot mend.
 */
export const CLOSE = {
  /** The node restarts, or the room's state is in doubt: come back. */
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

/** The reason that a node gives as it stops: all who were on it come back elsewhere, each at a moment of its own within that time (W15). */
export const encodeSpread = (ms: number): string => `${CLOSE.restart.means} Come back within ${ms} ms.`;

/** Within which time whoever was closed with 1012 is to come back, milliseconds; 0: nothing is said. */
export function decodeSpread(reason: string): number {
  const ms = Number(/ within (\d{1,6}) ms/.exec(reason)?.[1] ?? 0);
  return Math.min(ms, SPREAD_MOST_MS);
}

/** Longer than this nobody is kept waiting. */
export const SPREAD_MOST_MS = 20_000;

/** Reasons that may follow 4408 (A3). */
export const REFUSALS = ['malformed', 'foreign-lane', 'client-id', 'clock-reused', 'own-delete', 'restored'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why an entry was neutralised (A6), as told by a message of type 121. */
export const NEUTRALISED = ['closed', 'removed', 'duplicate', 'blocked', 'role', 'quota'] as const;
export type Neutralised = (typeof NEUTRALISED)[number];
