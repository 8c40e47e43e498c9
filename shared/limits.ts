/** Limits of the wire and of documents, each from `SPEC.md`. Sizes in bytes unless said otherwise; text in UTF-16 units. */
export const LIMITS = {
  /** A frame from a member (W6). */
  frame: 64 * 1024,
  /** One sync step 2 of a stock client: a segment's size (W6). */
  step2: 256 * 1024,
  /** One update (W6). */
  update: 32 * 1024,
  /** Structs and client ids in one update, known and foreign ones included (A1): more than 256 KiB of a segment hold. */
  updateParts: 16_384,
  /** New structs of the writer in one update (A1): as many messages of ten letters fill 256 KiB. */
  updateStructs: 3_072,
  /** Names in the objects of one update (A1): each one may cost a shape of its own in memory. */
  updateNames: 8_192,
  /** Structs of one person in one document (A2): a whole segment of theirs, with everything changed a dozen times. */
  personStructs: 8_192,
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
  /** Bytes after which a private document that could not be followed by the next takes no more values (D8). */
  privateBytes: 1024 * 1024,
  /** Different emoji of one person on one message. */
  reactionsPerMessage: 20,
  /** One of them, in UTF-16 units (D6): the longest that people use, a family of four with skin tones, has 23. */
  emoji: 32,
  /** An awareness entry (P2). */
  awareness: 512,
  /** Newest segments that a root names (D1). */
  rootSegments: 16,
  /** People in one group. */
  groupMembers: 500,
  /** People who do not know somebody and whom they may ask within a day, while nobody of them has accepted (G3). */
  requestsPerDay: 20,
  /** Of those, requests to one and the same person: a direct conversation and some groups (G3). */
  requestsToOne: 3,
  /** Reports of one person that wait for the operator: each holds up to a quarter of a megabyte (G4). */
  openReports: 50,
  /** Channels open on one socket at once (W10). */
  channels: 256,
  /** An avatar as it is uploaded. */
  avatar: 5 * 1024 * 1024,
  /** A state vector may name at most this many client ids beside those that the document holds (W6). */
  stateVectorClients: 4_096,
  /** Sockets of one person on one node (W13): a browser has one, a stock client one for each open document. */
  personSockets: 256,
  /** Documents that one person has open on one node, over all sockets (W13). */
  personDocuments: 1_024,
  /** Sockets of one address on one node (W14): a large office behind one address has that many people. */
  addressSockets: 2_048,
  /** Sockets of one address that were refused and have not finished their close yet (W14). */
  addressRefused: 64,
  /** What a refused socket may still say before it is cut (W14): a stock client's first two messages are less. */
  refusedBytes: 8 * 1024,
  /** Rooms of one node: about 49 kB each with 500 messages in it, so 800 MB. */
  rooms: 16_384,
  /** Work that waits in one room's queue, and its bytes (L1). */
  queueWorks: 8_192,
  queueBytes: 4 * 1024 * 1024,
  /** And in all rooms of a node. */
  nodeQueueWorks: 131_072,
  nodeQueueBytes: 64 * 1024 * 1024,
  /** One person may fill this part of it: the others' frames still find room, and go with the next batches. */
  queueShares: 4,
  /** Frames of one connection that wait to be taken at most, and their bytes (W13): what a socket still holds when it is paused, and one step 2. */
  waitingFrames: 8_192,
  waitingBytes: 2 * 256 * 1024,
  /** Where more than this waits of a connection, its socket is not read (W13). */
  pauseFrames: 32,
  pauseBytes: 8 * 1024,
  /** Frames in a row without progress (W6): a stock client that writes before it has read our step 1 makes one at each reconnect. */
  aheadInARow: 20,
  /** A reader that leaves more than this unsent gets nothing live until it has read it (W7): small, because many may stall at once. */
  unsentLive: 64 * 1024,
  /** A reader that leaves more than this unsent is closed (W7). */
  unsent: 4 * 1024 * 1024,
} as const;

/** An allowance: so much at once, and so much a minute in the long run. */
export interface Rate {
  burst: number;
  perMinute: number;
}

/** Allowances of the wire. All are kept in memory, per node. */
export const RATES = {
  /** Questions (step 1) of one connection about one document (W6). */
  step1: { burst: 30, perMinute: 10 },
  /** Updates of one person over all sockets (W13). The burst carries 5,000 messages written offline, each sent twice; in the long run ten a second are more than anybody types. */
  updates: { burst: 10_000, perMinute: 600 },
  /** Their bytes: the burst is 5,000 waiting messages of 3,000 characters. */
  updateBytes: { burst: 16 * 1024 * 1024, perMinute: 1024 * 1024 },
  /** Bytes of step 2 that one person is answered (W13): a new device takes 1,000 segments at once. */
  answerBytes: { burst: 64 * 1024 * 1024, perMinute: 16 * 1024 * 1024 },
  /** Presence messages of one connection (W13): typing is said every 2 s. */
  presence: { burst: 60, perMinute: 600 },
  /** The same of one person over all sockets: several devices that come back at once say two for each conversation that they have open. */
  personPresence: { burst: 2_048, perMinute: 1_200 },
  /** Read positions of one connection that are stored (P4): as a fast reader scrolls. */
  reads: { burst: 10, perMinute: 60 },
  /** Messages of one connection to its inbox (I5): honest ones come once a second. */
  inbox: { burst: 60, perMinute: 120 },
  /** Channels that one socket opens (W10): twice as many as may be open, as a stock provider opens one for each try. */
  opens: { burst: 512, perMinute: 600 },
  /** Documents that one person opens over all sockets (W13): several devices that come back at once. */
  personOpens: { burst: 4_096, perMinute: 2_400 },
} as const satisfies Record<string, Rate>;

/** Allowances of the HTTP API, per node: a refusal is 429 and says how long to wait. */
export const HTTP_RATES = {
  /** Everything below `/api` from one address, signed in or not: an office behind one address. */
  address: { burst: 3_000, perMinute: 6_000 },
  /** What one person reads. Opening the app asks some ten times. */
  reads: { burst: 600, perMinute: 600 },
  /** What one person changes, messages included: a program that sends twenty a second for a while. */
  writes: { burst: 1_200, perMinute: 300 },
  /** Exchanges of one person about one document (W12). */
  exchange: { burst: 60, perMinute: 30 },
  /** Exchanges of one person about all documents (W12). */
  exchanges: { burst: 600, perMinute: 600 },
  /** Log-ins by address, by account and address, by account, and by a device that the account knows: nobody is locked out by others (S7). */
  logInAddress: { burst: 60, perMinute: 30 },
  logInBoth: { burst: 10, perMinute: 4 },
  logInAccount: { burst: 50, perMinute: 2 },
  logInDevice: { burst: 10, perMinute: 4 },
  /** Registrations of one address. */
  register: { burst: 100, perMinute: 20 },
  /** Reset links and invites that one address presents. */
  link: { burst: 30, perMinute: 10 },
  /** Beginnings and ends of passkey ceremonies of one address. */
  passkey: { burst: 120, perMinute: 60 },
  /** A person's own password, asked for once more. */
  password: { burst: 5, perMinute: 1 },
  /** Invites that one person makes. */
  invite: { burst: 20, perMinute: 1 },
  /** New conversations of one person. */
  open: { burst: 60, perMinute: 30 },
  /** Changes of members and blocks by one person. */
  rights: { burst: 120, perMinute: 60 },
  /** Reports to the operator by one person. */
  report: { burst: 10, perMinute: 1 },
  /** People search and look-up by one person: a list of names cannot be walked through. */
  people: { burst: 30, perMinute: 60 },
} as const satisfies Record<string, Rate>;

/** What has to wait (W13), and who does not read (W7), is given this long. */
export const WAIT_MS = 30_000;

/** A message accepted more than this after it was written keeps both times (D5). */
export const LATE_AFTER_MS = 2 * 60_000;
/** The empty awareness frame is sent on a channel that was silent this long (W5). */
export const KEEP_ALIVE_MS = 20_000;
