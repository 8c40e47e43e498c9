import * as encoding from 'lib0/encoding';
import type { Uuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { laneName } from '../../../shared/segment.ts';
import type { Plain } from './stored.ts';
import { ANNA, CARL, LOG_CLIENT, type RawStruct, messageId, rawUpdate, tombstone, value } from './test-world.ts';

/** A frame made to cost as much as the limits let through; Carl writes it to the segment of `makeFullWorld`. */
export interface WorstFrame {
  name: string;
  writer: Uuid;
  update: Uint8Array;
  /** Frames of the same writer that lead up to it. */
  before: Uint8Array[];
}

type Place = { root: string; key: string };
const at = (key: string): Place => ({ root: laneName(CARL), key });
const after = (client: number, clock: number): { origin: [number, number] } => ({ origin: [client, clock] });
const WORD: Plain = ['e', null, null];
/** A client id of Anna's, and one of Carl's, with which they have written there. */
const OTHER = 20_000;
const OWN = 20_002;
/** Ids that the segment does not know. */
const fresh = (n: number): string => messageId(50_000 + n);

/** As many structs as `most` and the size of a frame let through. */
function fill(struct: (i: number) => RawStruct, most: number = LIMITS.updateStructs, client = 5, from = 0): Uint8Array {
  const make = (count: number): Uint8Array => rawUpdate([[client, from, Array.from({ length: count }, (_, i) => struct(from + i))]]);
  const whole = make(most);
  return whole.length <= LIMITS.step2 ? whole : make(Math.floor((most * LIMITS.step2) / whole.length) - 8);
}

/** `keys` histories that grow in turn, each struct after the one before it in its history. */
const turns =
  (keys: number, prefix: string, id: (n: number) => string, content: (i: number) => Pick<RawStruct, 'info' | 'content'>) =>
  (i: number): RawStruct => ({ ...(i < keys ? at(prefix + id(i)) : after(5, i - keys)), ...content(i) });

/** Deletions alone: `spans` of `[clock, length]` by client id. */
const deletions = (clients: [number, [number, number][]][]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarUint(encoder, clients.length);
    for (const [client, spans] of clients) for (const n of [client, spans.length, ...spans.flat()]) encoding.writeVarUint(encoder, n);
  });

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const { updateParts: PARTS, updateStructs: STRUCTS } = LIMITS;

function chainThrough(clients: number): Uint8Array {
  const each = Math.floor(STRUCTS / clients);
  const place = (j: number, i: number): Partial<RawStruct> =>
    j > 0 ? after(1_000 + j - 1, i) : i === 0 ? at(`r${fresh(0)}`) : after(1_000 + clients - 1, i - 1);
  const blocks = many(clients, (j): [number, number, RawStruct[]] => [
    1_000 + j,
    0,
    many(each, (i) => ({ ...place(j, i), ...tombstone() })),
  ]);
  return rawUpdate(blocks.toReversed());
}

/** Siblings of one key from `clients` client ids, whose order is the worst for whoever looks for their place. */
const siblings = (clients: number, each: number, key: string): Uint8Array =>
  rawUpdate(many(clients, (j) => [1_000 + j, 0, many(each, () => ({ ...at(key), ...value([]) }))]));

const one = (content: Plain): Uint8Array => rawUpdate([[5, 0, [{ ...at(fresh(0)), ...value(content) }]]]);
const objects = (count: number): Plain => many(count, (i) => ({ [`k${i}`]: null }));

/** Frames by what is dear about them. Every one passes the check, unless its name says otherwise. */
export function worstFrames(): WorstFrame[] {
  const frames: Record<string, Uint8Array | { update: Uint8Array; before: Uint8Array[] }> = {
    'tombstones, one history': fill(turns(1, 'r', fresh, () => tombstone())),
    'tombstones, two histories in turn': fill(turns(2, 'r', fresh, () => tombstone())),
    'tombstones, 50 histories in turn': fill(turns(50, 'r', fresh, () => tombstone())),
    'tombstones, a history each': fill((i) => ({ ...at(`r${fresh(i)}`), ...tombstone() })),
    'messages, as many as there is room for': fill((i) => ({ ...at(fresh(i)), ...value(WORD) })),
    'edits of one message': fill(turns(1, '', fresh, () => value(WORD))),
    'edits of 50 messages in turn': fill(turns(50, '', fresh, () => value(WORD))),
    'deletions of what never was': fill((i) => ({ ...at(fresh(i)), ...value(0) })),
    'deletions of one message': fill(turns(1, '', fresh, (i) => value(i === 0 ? WORD : 0))),
    'reactions to one message': fill(turns(1, 'r', messageId, () => value(['👍']))),
    'reactions to two messages in turn': fill(turns(2, 'r', messageId, () => value([]))),
    'reactions to every message in turn': fill(turns(400, 'r', messageId, () => value(['👍', '🎉']))),
    'reactions to what never was': fill((i) => ({ ...at(`r${fresh(i)}`), ...value([]) })),
    'removals of every message and more': fill((i) => ({ ...at(`x${messageId(i)}`), ...value(1) })),
    'messages of 256 client ids': rawUpdate(
      many(256, (j) => [1_000 + j, 0, many(STRUCTS / 256, (i) => ({ ...at(fresh(j * 12 + i)), ...value(WORD) }))]),
    ),
    'reactions of 256 client ids in turn': rawUpdate(
      many(256, (j) => [1_000 + j, 0, many(6, (i) => ({ ...at(`r${messageId(i + j)}`), ...value([]) }))]),
    ),
    'siblings of one key': siblings(1, 99, `r${messageId(0)}`),
    'siblings of one key, 99 client ids': siblings(99, 1, `r${messageId(0)}`),
    'siblings of 300 keys': fill((i) => ({ ...at(`r${messageId(i % 300)}`), ...value([]) }), 1_500),
    'more siblings than may be': fill((i) => ({ ...at(`r${messageId(i % 300)}`), ...value([]) })),
    'two client ids that wait for one another': chainThrough(2),
    '256 client ids that wait for one another': chainThrough(256),
    'after the middle of a long tombstone': {
      before: [rawUpdate([[5, 0, [{ ...at(`r${fresh(0)}`), ...tombstone(2 ** 40) }]]])],
      update: fill((i) => ({ ...after(5, (i * 7_919) % 1_000_000), ...tombstone() }), 99, 6),
    },
    'said again: a frame that is known': {
      before: [fill(turns(50, 'r', fresh, () => tombstone()))],
      update: fill(turns(50, 'r', fresh, () => tombstone())),
    },
    'said again, then more': {
      before: [
        fill(
          turns(50, 'r', fresh, () => tombstone()),
          STRUCTS / 2,
        ),
      ],
      update: fill(turns(50, 'r', fresh, () => tombstone())),
    },
    'more in a lane that is full of them': {
      before: [fill(turns(50, 'r', fresh, () => tombstone()))],
      update: fill(
        turns(50, 'r', fresh, () => tombstone()),
        STRUCTS / 2,
        5,
        STRUCTS,
      ),
    },
    'written again over keys of tombstones': {
      before: [fill((i) => ({ ...at(fresh(i)), ...tombstone() }), STRUCTS / 2)],
      update: rawUpdate([[6, 0, many(STRUCTS / 2, (i) => ({ ...after(5, i), ...value(WORD) }))]]),
    },
    'deletions of as many ranges as may be': deletions([[1_234, many(60_000, (i) => [2 * i, 1])]]),
    'deletions of as many own ranges': deletions([[OWN, many(60_000, (i) => [1_000 + 2 * i, 1])]]),
    'deletions under as many client ids as may be': deletions(many(PARTS, (i) => [1_000 + i, []])),
    'deletions of everything': deletions([OTHER, OWN, LOG_CLIENT].map((client) => [client, [[0, 2 ** 50]]])),
    'structs under a delete range each': {
      before: [],
      update: encoding.encode((encoder) => {
        const structs = fill(turns(2, 'r', fresh, () => tombstone()));
        encoding.writeUint8Array(encoder, structs.subarray(0, -1));
        encoding.writeUint8Array(encoder, deletions([[5, many(STRUCTS, (i) => [i, 1])]]).subarray(1));
      }),
    },
    'blocks without structs': rawUpdate(many(PARTS, (i) => [1_000 + i, 0, []])),
    'gaps under as many client ids as may be': rawUpdate(
      many(PARTS / 2, (i) => [1_000 + i, 0, [{ info: 10, content: tombstone().content }]]),
    ),
    'gaps of one client id': fill(() => ({ info: 10, content: tombstone().content }), PARTS - 1),
    'GC structs of one’s own': fill(() => ({ info: 0, content: tombstone().content }), PARTS - 1),
    'GC structs of somebody else': fill(() => ({ info: 0, content: tombstone().content }), PARTS - 1, OTHER),
    'structs of somebody else, with origins': fill((i) => ({ ...after(OTHER, i % 10), ...tombstone() }), PARTS - 1, OTHER),
    'structs of somebody else, with names': fill((i) => ({ root: laneName(ANNA), key: fresh(i), ...value(WORD) }), PARTS - 1, OTHER),
    'names of root types': fill((i) => ({ root: `z${i}`, key: 'a', ...tombstone() }), PARTS - 1),
    'a frame ahead': fill((i) => ({ ...at(fresh(i)), ...value(WORD) }), STRUCTS, 5, 1),
    'the last struct is malformed': fill((i) => ({ ...at(i === STRUCTS - 1 ? 'x' : `r${fresh(i)}`), ...tombstone() })),
    'one text of 256 KiB': one(['x'.repeat(LIMITS.step2 - 128), null, null]),
    'one text of surrogate pairs': one(['𝄞'.repeat(LIMITS.step2 / 4 - 32), null, null]),
    'one text of three-byte letters': one(['€'.repeat(Math.floor(LIMITS.step2 / 3) - 32), null, null]),
    'a value of as many objects as may be': one(objects(2_000)),
    'values of as many objects as may be': rawUpdate([[5, 0, many(12, (i) => ({ ...at(fresh(i)), ...value(objects(600)) }))]]),
    'extras of many names': fill(
      (i) => ({ ...at(fresh(i)), ...value(['e', null, null, Object.fromEntries(many(300, (n) => [`${i}.${n}`, n]))]) }),
      26,
    ),
    'bodies of 8,000 letters': fill((i) => ({ ...at(fresh(i)), ...value(['ü'.repeat(LIMITS.body), null, null]) }), 16),
  };
  return Object.entries(frames).map(([name, frame]) => {
    const { update, before } = frame instanceof Uint8Array ? { update: frame, before: [] } : frame;
    return { name, writer: CARL, update, before };
  });
}
