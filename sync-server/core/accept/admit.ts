import type { Refusal } from '../../../shared/close-codes.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { ClientClock } from '../../../shared/protocol.ts';
import { type LaneEntry, readLaneEntry, readLaneKey } from '../../../shared/segment.ts';
import { isPrivateEntry, isPrivateKey } from '../../../shared/user-document.ts';
import type { Block, DecodedUpdate, Struct } from './decode.ts';
import { deletesOwn, isKnown } from './known.ts';
import type { Entry, Lane, Overlay, Stretch } from './overlay.ts';

/** New client ids that one frame may bring: a stock client has one for each time that it was opened without a network. */
const NEW_CLIENTS = 256;
/** Items that one frame may make Yjs pass on integration; 10,000 take it about 4 ms. */
const BREADTH = 10_000;

export type Admission =
  | { kind: 'placed'; entries: Entry[]; committed: ClientClock[]; claims: number[] }
  | { kind: 'ahead' }
  | { kind: 'refused'; reason: Refusal };

/** Whose a client id is, as the writer sees it. `new`: nobody has committed with it. */
export type Whose = (client: number) => 'own' | 'new' | 'foreign';

export interface AdmitInput {
  /** How many client ids of the document are somebody's. */
  claimed: () => number;
  /** What of the document is the writer's already: dear to count. */
  countOwn: () => { clients: number; structs: number };
  overlay: Overlay;
  kind: 'root' | 'segment' | 'user';
  whose: Whose;
  logClient: number;
  /** The server's next clock, as committed. */
  logClock: number;
  writer: Uuid;
  update: DecodedUpdate;
}

/** What stops a walk. */
class Stop extends Error {
  readonly admission: Admission;
  constructor(admission: Admission) {
    super('stopped');
    this.admission = admission;
  }
}
const refuse = (reason: Refusal): never => {
  throw new Stop({ kind: 'refused', reason });
};
const ahead = (): never => {
  throw new Stop({ kind: 'ahead' });
};

/** A2: more of the server's own structs than the server has written: it was restored from a backup. */
function checkRestored({ update, logClient, logClock }: AdmitInput): void {
  for (const { client, structs } of update.blocks) {
    if (client !== logClient) continue;
    for (const struct of structs) if (struct.clock + struct.length > logClock) refuse('restored');
  }
}

/** A2: structs of other people's client ids are left out, unless they reach into the writer's own lane. */
function checkForeign(overlay: Overlay, lane: Lane, { structs }: Block): void {
  for (const { origin, root } of structs) {
    if (root === lane.name) refuse('client-id');
    const place = origin && overlay.find(lane, origin);
    if (place && place !== 'elsewhere') refuse('client-id');
  }
}

/** A3: what of a block is new, its clocks without gap and its known part as the server holds it. A tombstone may be new in part. */
function newStructs(overlay: Overlay, lane: Lane, { client, structs }: Block): Struct[] {
  const known = overlay.clock(client);
  const fresh: Struct[] = [];
  let next = known;
  for (const struct of structs) {
    if (struct.kind === 'other' || struct.rightOrigin) refuse('malformed');
    const end = struct.clock + struct.length;
    if (struct.clock > next) ahead();
    if (struct.clock < known && !isKnown(overlay, lane, struct)) refuse('clock-reused');
    if (end <= known) continue;
    const offset = Math.max(0, known - struct.clock);
    if (offset === 0) fresh.push(struct);
    else fresh.push({ ...struct, clock: known, length: struct.length - offset, origin: { client, clock: known - 1 } });
    next = end;
  }
  return fresh;
}

/** A4: what a struct names as its origin, which must be there and in the writer's lane. */
function leftOf(overlay: Overlay, lane: Lane, { origin }: Struct): Stretch | null {
  const left = origin && (overlay.find(lane, origin) ?? ahead());
  return left === 'elsewhere' ? refuse('foreign-lane') : left;
}

/** A4: the key that a struct writes to, by its own words or by its origin's. */
function keyOf(lane: Lane, struct: Struct, left: Stretch | null): string {
  if (left) return left.key;
  if (struct.root !== lane.name) refuse('foreign-lane');
  return struct.key ?? refuse('malformed');
}

/** A5: what a struct means; null for tombstones and for entries of a private document. */
function meaningOf(kind: 'root' | 'segment' | 'user', struct: Struct, key: string): LaneEntry | null {
  if (struct.kind === 'tombstone') {
    if (!(kind === 'user' ? isPrivateKey(key) : readLaneKey(key))) refuse('malformed');
    return null;
  }
  if (kind !== 'user') return readLaneEntry(key, struct.value) ?? refuse('malformed');
  if (!isPrivateEntry(key, struct.value)) refuse('malformed');
  return null;
}

/** A1, A2: what a frame brings, and what its writer has piled up. Counting is dear, so it is done when some client id passes another 64. */
function checkAmount({ overlay, countOwn }: AdmitInput, fresh: ReadonlyMap<number, readonly Struct[]>): void {
  let brought = 0;
  let isTime = false;
  for (const [client, structs] of fresh) {
    const before = overlay.structs(client);
    brought += structs.length;
    isTime ||= before >> 6 !== (before + structs.length) >> 6;
  }
  if (brought > LIMITS.updateStructs) refuse('malformed');
  if (isTime && countOwn().structs + brought > LIMITS.personStructs) refuse('malformed');
}

/** A4: calls `place` for every struct after the one that its origin names. Clients wait for one another; a circle is malformed. */
function inOrder(overlay: Overlay, blocks: Map<number, Struct[]>, place: (struct: Struct) => void): void {
  const at = new Map<number, number>();
  const head = (client: number): Struct | undefined => blocks.get(client)?.[at.get(client) ?? 0];
  const awaited = ({ origin }: Struct): number | null => (origin && origin.clock >= overlay.clock(origin.client) ? origin.client : null);
  for (const first of blocks.keys()) {
    const waiting = [first];
    while (waiting.length > 0) {
      const client = waiting.at(-1)!;
      const struct = head(client);
      if (!struct) {
        // Somebody waits for more than there is.
        if (waiting.length > 1) ahead();
        break;
      }
      const other = awaited(struct);
      if (other !== null) {
        if (waiting.includes(other)) refuse('malformed');
        waiting.push(other);
        continue;
      }
      place(struct);
      at.set(client, (at.get(client) ?? 0) + 1);
      const below = waiting.length > 1 && head(waiting.at(-2)!);
      if (below && awaited(below) !== client) waiting.pop();
    }
  }
}

function admitOrStop(input: AdmitInput): Admission {
  const { overlay, kind, whose, writer, update, logClient, countOwn } = input;
  checkRestored(input);
  const lane = overlay.lane(writer);
  const fresh = new Map<number, Struct[]>();
  const named: number[] = [];
  const claims: number[] = [];
  for (const block of update.blocks) {
    const { client } = block;
    if (client === logClient) continue;
    const owner = whose(client);
    if (owner === 'foreign') {
      checkForeign(overlay, lane, block);
      continue;
    }
    if (kind === 'root') refuse('foreign-lane');
    named.push(client);
    const structs = newStructs(overlay, lane, block);
    if (structs.length === 0) continue;
    fresh.set(client, structs);
    if (owner === 'new') claims.push(client);
  }
  if (claims.length > NEW_CLIENTS) refuse('malformed');
  if (
    claims.length > 0 &&
    input.claimed() + claims.length > LIMITS.personClients &&
    countOwn().clients + claims.length > LIMITS.personClients
  )
    refuse('client-id');
  checkAmount(input, fresh);
  const entries: Entry[] = [];
  let cost = 0;
  inOrder(overlay, fresh, (struct) => {
    const left = leftOf(overlay, lane, struct);
    const key = keyOf(lane, struct, left);
    const meaning = meaningOf(kind, struct, key);
    const { client, clock, length, origin, value } = struct;
    const entry = {
      client,
      clock,
      length,
      origin,
      value,
      key,
      meaning,
      deleted: struct.kind === 'tombstone',
      isFollowed: false,
      slot: overlay.slot(lane, key),
    };
    cost += overlay.place(entry, left);
    if (cost > BREADTH) refuse('malformed');
    entries.push(entry);
  });
  if (deletesOwn(overlay, lane, update, (client) => client === logClient || whose(client) !== 'foreign')) refuse('own-delete');
  const committed: ClientClock[] = [];
  for (const client of named) if (overlay.clock(client) > 0) committed.push([client, overlay.clock(client)]);
  return { kind: 'placed', entries, committed, claims };
}

/**
 * Places one member's frame on the overlay, or says why not (A2 to A5, A7). Nothing here depends on what is allowed *now*: the same
 * bytes on the same document are always judged alike. All or nothing: what is not placed has changed nothing (A9).
 */
export function admit(input: AdmitInput): Admission {
  try {
    return admitOrStop(input);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    input.overlay.undo();
    return error.admission;
  }
}
