import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { addMessage, deleteMessage, editMessage, laneName, react } from '../../../shared/segment.ts';
import { checkUpdate } from './check.ts';
import { decodeUpdate } from './decode.ts';
import { ANNA, BERT, messageId, text } from './test-world.ts';

/** What Yjs reads in an update, in the words of ours. */
function asYjsReads(update: Uint8Array): unknown {
  const { structs, ds } = Y.decodeUpdate(update);
  const read = structs
    .filter((struct) => !(struct instanceof Y.Skip))
    .map((struct) => {
      const { client, clock } = struct.id;
      if (!(struct instanceof Y.Item)) return { client, clock, length: struct.length };
      const { origin, parentSub, content } = struct;
      const root = typeof struct.parent === 'string' ? struct.parent : null;
      const values = content instanceof Y.ContentAny ? content.arr : null;
      return {
        client,
        clock,
        length: struct.length,
        origin: origin && { client: origin.client, clock: origin.clock },
        root,
        key: parentSub,
        value: values?.at(-1),
      };
    });
  const deletes = [...ds.clients].map(([client, spans]) => [client, spans.map(({ clock, len }) => ({ from: clock, to: clock + len }))]);
  return { read, deletes };
}

function asWeRead(update: Uint8Array): unknown {
  const { blocks, deletes } = decodeUpdate(update);
  const read = blocks.flatMap(({ structs }) =>
    structs.map(({ client, clock, length, kind, origin, root, key, value, rightOrigin }) => {
      expect(rightOrigin).toBe(false);
      return kind === 'other' && value === undefined ? { client, clock, length } : { client, clock, length, origin, root, key, value };
    }),
  );
  return { read, deletes: [...deletes] };
}

const step = fc.record({
  device: fc.nat({ max: 2 }),
  kind: fc.nat({ max: 5 }),
  id: fc.nat({ max: 5 }),
  body: fc.string({ unit: 'grapheme', minLength: 1 }),
});

describe('[A1] the decoder', () => {
  it('reads in an update what Yjs reads in it: whole documents, differences, merged updates with gaps', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat({ max: 40 }), (steps, cut) => {
        const devices = [11, 300, 4_000_000_000].map((client) => {
          const doc = new Y.Doc();
          doc.clientID = client;
          return doc;
        });
        const updates: Uint8Array[] = [];
        for (const doc of devices) doc.on('update', (update: Uint8Array, origin: unknown) => origin !== 'other' && updates.push(update));
        for (const { device, kind, id, body } of steps) {
          const doc = devices[device]!;
          const person = device < 2 ? ANNA : BERT;
          if (kind === 0) addMessage(doc, person, messageId(id), [body, null, 5, { deep: [body, { a: null, b: -0.5, c: 2 ** 40 }] }]);
          else if (kind === 1) editMessage(doc, person, messageId(id), body, 7);
          else if (kind === 2) deleteMessage(doc, person, messageId(id));
          else if (kind === 3) react(doc, person, messageId(id), [body.slice(0, 8)]);
          else if (kind === 4) doc.getArray('log').push([messageId(id), [messageId(id), 9]]);
          else for (const other of devices) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), 'other');
        }
        const all = [
          ...devices.map((doc) => Y.encodeStateAsUpdate(doc)),
          Y.encodeStateAsUpdate(devices[0]!, Y.encodeStateVector(devices[1]!)),
          Y.mergeUpdates(updates.filter((_, i) => i !== cut)),
          ...updates,
        ];
        for (const update of all) {
          expect(checkUpdate(update)).toBe(true);
          expect(asWeRead(update)).toEqual(asYjsReads(update));
        }
      }),
      { seed: 11, numRuns: 150 },
    );
  });

  it('reads what a document with deleted types would hold, and finds the ids to be looked up', () => {
    const doc = new Y.Doc();
    addMessage(doc, ANNA, messageId(1), text('a'));
    doc.getMap(laneName(ANNA)).set('other', 1);
    expect(decodeUpdate(Y.encodeStateAsUpdate(doc)).messageIds).toEqual(new Set([messageId(1)]));
  });
});
