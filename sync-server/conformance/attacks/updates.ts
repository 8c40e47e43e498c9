import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { Refusal } from '../../../shared/close-codes.ts';
import { systemRandom } from '../../../shared/clock.ts';
import { makeMessageId } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { encodeStep2, encodeUpdate } from '../../../shared/protocol.ts';
import { laneName } from '../../../shared/segment.ts';
import type { Plain } from '../../core/accept/stored.ts';
import { type RawStruct, rawUpdate, tombstone, value } from '../../core/accept/test-world.ts';
import { newId, updateOf } from '../frames.ts';
import { HUGE, INFINITE } from './numbers.ts';
import type { Scene } from './scene.ts';

/** An update made by hand. `ends`: with which refusal; null: the way stands, and what came of it is nobody's loss. */
export interface UpdateAttack {
  name: string;
  ends: Refusal | null;
  update(scene: Scene): Uint8Array;
  /** To which document; segment 1 otherwise. */
  path?: (scene: Scene) => string;
}

/** Yjs's client ids have 32 bits; every attack has its own. */
let lastClient = 1_000_000;
export const nextClient = (): number => ++lastClient;

const BODY: Plain = ['evil', null, null];
const own = (scene: Scene, key: string, content: Plain = BODY): RawStruct => ({ root: laneName(scene.mallory.id), key, ...value(content) });
const under = (root: string, key: string | undefined, content: Plain = BODY): RawStruct => ({
  root,
  ...(key === undefined ? {} : { key }),
  ...value(content),
});
const after = (id: readonly [number, number], content: Plain = BODY): RawStruct => ({ origin: [...id], ...value(content) });
const one = (struct: RawStruct, client = nextClient()): Uint8Array => rawUpdate([[client, 0, [struct]]]);
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

/** Client id and clock of Ada's newest message. */
const adasLast = ({ adas }: Scene): [number, number] => [adas.doc.clientID, Y.getState(adas.doc.store, adas.doc.clientID) - 1];
const adasId = ({ adas, ada }: Scene): string => [...adas.doc.getMap(laneName(ada.id)).keys()].at(-1)!;

/** A struct whose content Yjs has and nobody of ours: written by the library itself. */
const stock =
  (write: (doc: Y.Doc, lane: string) => void) =>
  (scene: Scene): Uint8Array =>
    updateOf((doc) => write(doc, laneName(scene.mallory.id)));
const inside = (make: () => unknown) => stock((doc, lane) => doc.getMap(lane).set(newId(), make()));
const valued =
  (content: Plain) =>
  (scene: Scene): Uint8Array =>
    one(own(scene, newId(), content));
const keyed =
  (key: string, content: Plain = BODY) =>
  (scene: Scene): Uint8Array =>
    one(own(scene, key, content));

function nested(depth: number): Plain {
  let inner: Plain = 1;
  for (let i = 0; i < depth; i++) inner = [inner];
  return inner;
}

/** A text with bytes of one's choice where the letters `????` stand. */
function textOf(letters: readonly number[]) {
  return (scene: Scene): Uint8Array => {
    const update = one(own(scene, newId(), ['????', null, null]));
    const at = Buffer.from(update).indexOf('????');
    update.set(letters, at);
    return update;
  };
}

const malformed = (name: string, update: UpdateAttack['update']): UpdateAttack => ({ name, ends: 'malformed', update });
const foreign = (name: string, update: UpdateAttack['update']): UpdateAttack => ({ name, ends: 'foreign-lane', update });
const harmless = (name: string, update: UpdateAttack['update']): UpdateAttack => ({ name, ends: null, update });

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const deletions = (client: number, spans: [number, number][]): Uint8Array =>
  encoding.encode((encoder) => {
    for (const n of [0, 1, client, spans.length, ...spans.flat()]) encoding.writeVarUint(encoder, n);
  });

export const UPDATES: UpdateAttack[] = [
  // What is declared and not there.
  malformed('declares 2^32 clients', () => bytes(...HUGE)),
  malformed('declares 2^32 structs', () => bytes(1, ...HUGE, 0)),
  malformed('declares 2^32 deletions', () => bytes(0, 1, 5, ...HUGE)),
  malformed('declares 2^32 deleting clients', () => bytes(0, ...HUGE)),
  malformed('declares an array of 2^32', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 117, ...HUGE)),
  malformed('declares an object of 2^32', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 118, ...HUGE)),
  malformed('declares a text of 2^32', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 119, ...HUGE)),
  malformed('holds a tombstone that is no number long', () => bytes(1, 1, 5, 0, 1, 1, 1, 97, 0x80, ...INFINITE, 0)),
  malformed('begins at an infinite clock', () => bytes(1, 1, 5, ...INFINITE, 1, 1, 1, 97, 1, 0)),
  malformed('declares 2^32 values in a struct', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, ...HUGE)),
  malformed('is a number that never ends', () => new Uint8Array(200).fill(0xff)),
  malformed('is empty', () => new Uint8Array()),
  malformed('is cut short', (scene) => one(own(scene, newId())).slice(0, -4)),
  malformed('has bytes behind it', (scene) => Uint8Array.of(...one(own(scene, newId())), 0)),
  malformed('is in the second encoding', (scene) => {
    const doc = new Y.Doc();
    doc.getMap(laneName(scene.mallory.id)).set(newId(), BODY);
    return Y.encodeStateAsUpdateV2(doc);
  }),
  malformed('is a run-length bomb of the second encoding', () =>
    bytes(0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0),
  ),
  malformed('names a client twice', (scene) => {
    const block: [number, number, RawStruct[]] = [nextClient(), 0, [own(scene, newId())]];
    return rawUpdate([block, block]);
  }),
  malformed('has deletions out of order', () => deletions(nextClient(), [[10, 1], [0, 1]])), // prettier-ignore
  malformed('has more client ids than a segment', () =>
    rawUpdate(
      [],
      many(17_000, (i): [number, number, number] => [i, 0, 1]),
    ),
  ),

  // In somebody else's name.
  foreign('writes in another lane', (scene) => one(under(laneName(scene.ada.id), newId()))),
  foreign('overwrites another’s message by name', (scene) => one(under(laneName(scene.ada.id), adasId(scene)))),
  foreign('overwrites another’s message by its origin', (scene) => one(after(adasLast(scene)))),
  foreign('deletes another’s message by a tombstone', (scene) => one({ origin: adasLast(scene), ...tombstone() })),
  foreign('sets 0 over another’s message', (scene) => one(after(adasLast(scene), 0))),
  foreign('reacts in another’s name', (scene) => one(under(laneName(scene.ada.id), `r${adasId(scene)}`, ['💩']))),
  foreign('writes in the lane of nobody', () => one(under('u:', newId()))),
  foreign('writes in the lane of somebody who is no member', () => one(under(laneName('00000000-0000-7000-8000-000000000000'), newId()))),
  foreign('starts in the own lane and goes on in another', (scene) => {
    const client = nextClient();
    return rawUpdate([[client, 0, [own(scene, newId()), after(adasLast(scene))]]]);
  }),
  { name: 'uses another’s client id for the own lane', ends: 'client-id', update: (scene) => one(own(scene, newId()), adasLast(scene)[0]) },
  {
    name: 'uses another’s next clock for the own lane',
    ends: 'client-id',
    update: (scene) => rawUpdate([[adasLast(scene)[0], adasLast(scene)[1] + 1, [own(scene, newId())]]]),
  },
  {
    name: 'uses the server’s client id for the own lane',
    ends: null,
    update: (scene) => one(own(scene, newId()), scene.serverClient),
  },
  harmless('squats another’s next clock with GC', (scene) =>
    rawUpdate([[adasLast(scene)[0], adasLast(scene)[1] + 1, [{ info: 0, content: tombstone(1_000).content }]]], []),
  ),
  harmless('squats another’s future clocks in that person’s lane', (scene) =>
    rawUpdate([[adasLast(scene)[0], adasLast(scene)[1] + 1, [after(adasLast(scene)), after(adasLast(scene))]]]),
  ),
  harmless('says another’s clock again with other words', (scene) =>
    rawUpdate([[adasLast(scene)[0], adasLast(scene)[1], [under(laneName(scene.ada.id), newId())]]]),
  ),

  // The server's own types.
  foreign('writes to the log', () => one(under('log', undefined, newId()))),
  foreign('appends to the log by origin', (scene) => {
    const [log] = Y.getTypeChildren(scene.adas.doc.getArray('log'));
    return one(after([log!.id.client, log!.id.clock], newId()));
  }),
  foreign('writes to meta', () => one(under('meta', 'firstSeq', 9))),
  foreign('overwrites meta by origin', (scene) => one(after([scene.serverClient, 1], 9))),
  foreign('makes a root type of its own', () => one(under('flood', newId()))),
  foreign('makes a root type named __proto__', () => one(under('__proto__', newId()))),
  foreign('writes to `members` of a segment', (scene) => one(under('members', scene.mallory.id, 'owner'))),
  { ...foreign('writes to the root: a role', (scene) => one(under('members', scene.mallory.id, { role: 'owner', since: 0 }))), path: (scene) => scene.groupId }, // prettier-ignore
  { ...foreign('writes to the root: a title', () => one(under('meta', 'title', 'Mine'))), path: (scene) => scene.groupId },
  { ...foreign('writes to the root: a lane', (scene) => one(own(scene, newId()))), path: (scene) => scene.groupId },
  {
    name: 'brings structs of the server that it never wrote',
    ends: 'restored',
    update: (scene) => rawUpdate([[scene.serverClient, 5_000_000, [under('log', undefined, newId())]]]),
  },

  // What Yjs can hold and a lane cannot.
  malformed(
    'a Y.Map',
    inside(() => new Y.Map()),
  ),
  malformed(
    'a Y.Array',
    inside(() => new Y.Array()),
  ),
  malformed(
    'a Y.Text',
    inside(() => new Y.Text('x')),
  ),
  malformed(
    'an XML element',
    inside(() => new Y.XmlElement('b')),
  ),
  malformed(
    'a subdocument',
    inside(() => new Y.Doc()),
  ),
  malformed(
    'bytes',
    inside(() => new Uint8Array(4)),
  ),
  malformed(
    'text with embeds and formats',
    stock((doc) => doc.getText('u:x').insertEmbed(0, { a: 1 }, { b: true })),
  ),
  malformed(
    'a list in the own lane’s name',
    stock((doc, lane) => doc.getArray(lane).push([1])),
  ),
  malformed('JSON content', () => bytes(1, 1, 5, 0, 2, 1, 1, 97, 1, 1, 49, 0)),
  malformed('an undefined', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 127, 0)),
  malformed('a big integer', () => bytes(1, 1, 5, 0, 8, 1, 1, 97, 1, 122, 0, 0, 0, 0, 0, 0, 0, 1, 0)),
  malformed('a parent that is an item', (scene) => bytes(1, 1, 5, 0, 8, 0, ...adasLast(scene).map((n) => n & 0x7f), 1, 126, 0)),
  malformed('GC under an own id', () => rawUpdate([[nextClient(), 0, [{ info: 0, content: tombstone(3).content }]]])),
  malformed('a right origin', (scene) => one({ rightOrigin: adasLast(scene), ...value(BODY) })),
  malformed('two values in one struct', (scene) =>
    one({
      root: laneName(scene.mallory.id),
      key: newId(),
      info: 8,
      content: (e) => [2, 126, 126].forEach((n) => encoding.writeUint8(e, n)),
    }),
  ),
  malformed('a struct without a key', (scene) => one(under(laneName(scene.mallory.id), undefined))),
  malformed('a circle of origins', () => {
    const [a, b] = [nextClient(), nextClient()];
    return rawUpdate([
      [b, 0, [after([a, 0])]],
      [a, 0, [after([b, 0])]],
    ]);
  }),

  // Keys and values.
  malformed('a key `constructor`', keyed('constructor')),
  malformed('a key `__proto__`', keyed('__proto__')),
  malformed('a key `prototype`', keyed('prototype')),
  malformed('an empty key', keyed('')),
  malformed('an id of another version', keyed('A'.repeat(22))),
  malformed('a key of 10,000 letters', keyed('x'.repeat(10_000))),
  malformed('a reaction to no id', keyed('rabc', [])),
  malformed('an unknown prefix', (scene) => one(own(scene, `y${newId()}`))),
  malformed('an empty body', valued(['', null, null])),
  malformed('a body of 8,001 letters', valued(['x'.repeat(LIMITS.body + 1), null, null])),
  malformed('a body that is an object', valued([{ toString: 'x' }, null, null])),
  malformed('a tuple of five', valued(['x', null, null, {}, 1])),
  malformed('a time that is no number', valued(['x', null, Infinity])),
  malformed('a time before 1970', valued(['x', null, -1])),
  malformed('a reply to nothing', valued(['x', 'nothing', null])),
  malformed('extras that are a list', valued(['x', null, null, []])),
  malformed('extras too deep', valued(['x', null, null, { a: { b: { c: { d: {} } } } }])),
  malformed('extras of 4,001 letters', valued(['x', null, null, { a: 'x'.repeat(4_001) }])),
  malformed('arrays 5,000 deep', valued(nested(5_000))),
  malformed('a `__proto__` in the extras', valued(['x', null, null, JSON.parse('{"__proto__": {"admin": true}}') as Plain])),
  malformed('9,000 names in objects', (scene) =>
    rawUpdate([
      [nextClient(), 0, many(30, () => own(scene, newId(), ['x', null, null, Object.fromEntries(many(300, (i) => [`n${i}`, 1]))]))],
    ]),
  ),
  malformed('reactions of 21 emoji', (scene) =>
    one(
      own(
        scene,
        `r${adasId(scene)}`,
        many(21, (i) => `${i}`),
      ),
    ),
  ),
  malformed('the same emoji twice', (scene) => one(own(scene, `r${adasId(scene)}`, ['x', 'x']))),
  malformed('an emoji of 33 letters', (scene) => one(own(scene, `r${adasId(scene)}`, ['x'.repeat(33)]))),
  malformed('a removal with a reason', (scene) => one(own(scene, `x${adasId(scene)}`, 'because'))),
  malformed('a lone surrogate', textOf([0xed, 0xa0, 0x80, 0x41])),
  malformed('overlong letters', textOf([0xc0, 0x80, 0x41, 0x41])),
  malformed('a letter beyond Unicode', textOf([0xf5, 0x80, 0x80, 0x80])),
  harmless('NUL in a text', textOf([0, 0x41, 0, 0x42])),
  harmless('NUL in names and texts of the extras', (scene) => one(own(scene, newId(), ['x', null, null, { 'a\0b': 'c\0d', e: ['\0'] }]))),
  harmless('numbers at the edge in the extras', valued(['x', null, null, { a: 1e308, b: -0, c: 5e-324, d: 2 ** 53 - 1 }])),
  harmless('a time of edit of 2^53 - 1', valued(['x', null, Number.MAX_SAFE_INTEGER])),
  harmless('an id of the year 10889, and one of 1970', (scene) => {
    const written = [2 ** 48 - 1, 0].map((time) => own(scene, makeMessageId(time, systemRandom)));
    return rawUpdate([[nextClient(), 0, written]]);
  }),
  harmless('U+FFFE, a BOM and a direction override', valued(['\ufffe\ufeff\u202egnp.exe', null, null])),

  // Clocks.
  harmless('a clock of tomorrow', (scene) => rawUpdate([[nextClient(), 1_000, [own(scene, newId())]]])),
  harmless('a clock near 2^53', (scene) => rawUpdate([[nextClient(), 2 ** 53 - 10, [own(scene, newId())]]])),
  malformed('a stretch beyond 2^53', () => rawUpdate([[nextClient(), 2 ** 53 - 2, [{ info: 0, content: tombstone(9).content }]]])),
  harmless('a gap before the struct', (scene) =>
    rawUpdate([[nextClient(), 0, [{ info: 10, content: tombstone(5).content }, own(scene, newId())]]]),
  ),
  harmless('an origin that does not exist', () => one(after([nextClient(), 77]))),
  harmless('a tombstone 2^52 long', (scene) => one({ root: laneName(scene.mallory.id), key: `r${newId()}`, ...tombstone(2 ** 52) })),

  // Deletions.
  harmless('a delete set that names all that the others wrote', ({ adas, berts, serverClient }) =>
    encoding.encode((encoder) => {
      for (const n of [0, 3, adas.doc.clientID, 1, 0, 2 ** 50, berts.doc.clientID, 1, 0, 2 ** 50, serverClient, 1, 0, 2 ** 50])
        encoding.writeVarUint(encoder, n);
    }),
  ),
  { name: 'an own message, deleted as it is written', ends: 'own-delete', update: (scene) => ownAndGone(scene) },
  { name: 'an own message, ended by a tombstone', ends: 'own-delete', update: (scene) => ownAndEnded(scene) },

  // Rights.
  harmless('a removal without the role', (scene) => one(own(scene, `x${adasId(scene)}`, 1))),
  harmless('another’s message id', (scene) => one(own(scene, adasId(scene)))),
  harmless('a deletion of another’s id in the own lane', (scene) => one(own(scene, adasId(scene), 0))),
  harmless('reactions to what never was, a thousand', (scene) =>
    rawUpdate([[nextClient(), 0, many(1_000, () => own(scene, `r${newId()}`, ['x']))]]),
  ),
  malformed('3,073 structs at once', (scene) =>
    rawUpdate([
      [nextClient(), 0, many(3_073, (i) => (i === 0 ? own(scene, `r${newId()}`, []) : { origin: [lastClient, i - 1], ...tombstone() }))],
    ]),
  ),
  malformed('257 client ids at once', (scene) => rawUpdate(many(257, () => [nextClient(), 0, [own(scene, `r${newId()}`, [])]]))),
  malformed('items that claim one place', (scene) => {
    const id = newId();
    return rawUpdate([[nextClient(), 0, many(500, () => own(scene, `r${id}`, []))]]);
  }),

  // A private document is behind the same door.
  ...privately('a key outside its grammar', (scene) => one(own(scene, newId()))),
  ...privately('a setting of the wrong shape', (scene) => one(own(scene, 'stheme', { a: 1 }))),
  ...privately('a conversation’s setting that nobody knows', (scene) => one(own(scene, `c${scene.groupId}`, { constructor: 1 }))),
];

function ownAndGone(scene: Scene): Uint8Array {
  const client = nextClient();
  return rawUpdate([[client, 0, [own(scene, newId())]]], [[client, 0, 1]]);
}

function ownAndEnded(scene: Scene): Uint8Array {
  const client = nextClient();
  const written = own(scene, newId());
  return rawUpdate(
    [[client, 0, [written, after([client, 0], ['more', null, 1]), { origin: [client, 1], ...tombstone() }]]],
    [[client, 1, 1]],
  );
}

function privately(name: string, update: UpdateAttack['update']): UpdateAttack[] {
  return [{ name: `in the own private document: ${name}`, ends: 'malformed', update, path: (scene) => `user:${scene.mallory.id}/1` }];
}

/** As an update where it is small enough, else as a sync step 2. */
export const asFrame = (update: Uint8Array): Uint8Array => (update.length <= LIMITS.update ? encodeUpdate(update) : encodeStep2(update));
