import { beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { createRoot, openSegment, readRoot, removeMember, setMember } from './conversation.ts';

const ANA = '01890a5d-ac96-774b-bcce-b302099a8057';
const BEN = '0190163d-8694-739b-aea5-966c26f8ad91';
const CREATED = 1_790_000_000_000;
const OWNER = { role: 'owner', since: 0 } as const;

describe('[D2] a root', () => {
  let doc: Y.Doc;
  beforeEach(() => {
    doc = new Y.Doc();
    createRoot(doc, { kind: 'group', title: 'Trip', createdAt: CREATED, members: new Map([[ANA, OWNER]]) });
  });

  test('is read as it was written, on another replica too', () => {
    const replica = new Y.Doc();
    Y.applyUpdate(replica, Y.encodeStateAsUpdate(doc));
    expect(readRoot(replica)).toEqual({
      kind: 'group',
      title: 'Trip',
      history: 'all',
      picture: null,
      createdAt: CREATED,
      open: 1,
      members: new Map([[ANA, OWNER]]),
      segments: new Map([[1, 1]]),
    });
  });

  test('of a direct conversation has no title', () => {
    const direct = new Y.Doc();
    createRoot(direct, { kind: 'direct', title: null, createdAt: CREATED, members: new Map() });
    expect(readRoot(direct)).toMatchObject({ kind: 'direct', title: null });
    expect(direct.getMap('meta').has('title')).toBe(false);
  });

  test('names the newest 16 segments in order, and of each that left a trace of 25 bytes', () => {
    const sizes: number[] = [];
    for (let n = 2; n <= 116; n++) {
      openSegment(doc, n, (n - 1) * 500 + 1);
      sizes.push(Y.encodeStateAsUpdate(doc).length);
    }
    const root = readRoot(doc)!;
    expect(root.open).toBe(116);
    expect([...root.segments]).toEqual(Array.from({ length: 16 }, (_, i) => [101 + i, (100 + i) * 500 + 1]));
    // Yjs keeps the tombstones of a map's keys: 5 kB for a conversation of 100,000 messages.
    expect(sizes.at(-1)! - sizes.at(-51)!).toBeLessThanOrEqual(50 * 25);
  });

  test('is read in the order of its segments, in whichever they were named', () => {
    openSegment(doc, 10, 4_501);
    openSegment(doc, 9, 4_001);
    expect([...readRoot(doc)!.segments.keys()]).toEqual([1, 9, 10]);
  });

  test('keeps who joined since when, and lets people go', () => {
    setMember(doc, BEN, { role: 'member', since: 41 });
    setMember(doc, ANA, { role: 'admin', since: 0 });
    expect(readRoot(doc)!.members).toEqual(
      new Map([
        [ANA, { role: 'admin', since: 0 }],
        [BEN, { role: 'member', since: 41 }],
      ]),
    );
    removeMember(doc, ANA);
    expect([...readRoot(doc)!.members.keys()]).toEqual([BEN]);
  });

  test('is none while the document is empty or of a kind that this version does not know', () => {
    expect(readRoot(new Y.Doc())).toBeNull();
    doc.getMap('meta').set('kind', 'channel');
    expect(readRoot(doc)).toBeNull();
  });

  test('leaves out what this version cannot read', () => {
    doc.getMap('members').set(BEN, { role: 'robot', since: 0 });
    doc.getMap('segments').set('2', 'soon');
    doc.getMap('meta').set('picture', 7);
    expect(readRoot(doc)).toMatchObject({ picture: null, members: new Map([[ANA, OWNER]]), segments: new Map([[1, 1]]) });
  });
});
