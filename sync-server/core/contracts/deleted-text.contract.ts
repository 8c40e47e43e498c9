import * as Y from 'yjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { type Uuid, makeMessageId, makeUuid } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import { addMessage, deleteMessage, editMessage, readLog, removeMessage } from '../../../shared/segment.ts';
import { type Node, startNode } from '../node.ts';
import { type Peer, makePeer } from '../testing/peer.ts';

export interface DeletedTextSetup {
  deps: Parameters<typeof startNode>[0];
  /** Everything that is stored, with bytes as Latin-1, so that a text can be looked for in it. */
  dump(): Promise<string>;
  /** A minute passes for what asked to be compacted. */
  passMinute(): Promise<void>;
  close(): Promise<void>;
}

/** A text that stands nowhere else. Its marks are plain letters, so that no encoding hides them. */
const canary = (what: string): string => `canary ${what} ${makeUuid(1, systemRandom)}`;
const newId = () => makeMessageId(Date.now(), systemRandom);
const soon = { timeout: 30_000, interval: 20 };

/** What every store promises of deleted text: within a minute it stands nowhere (D7, L13). */
export function deletedTextContract(name: string, open: () => Promise<DeletedTextSetup>): void {
  describe(`deleted text in ${name}`, () => {
    let setup: DeletedTextSetup;
    let node: Node;
    let peers: Peer[] = [];
    afterEach(async () => {
      for (const { session } of peers.splice(0)) session.closed();
      await node.stop();
      await setup.close();
    });

    async function start() {
      setup = await open();
      node = await startNode(setup.deps);
      const [ana, ben] = [1, 2].map((n) => makeUuid(n, systemRandom)) as [Uuid, Uuid];
      const { conversationId } = await node.messaging.openGroup(ana, 'Group', [ben]);
      await node.messaging.members.accept(ben, conversationId);
      const peer = async (userId: Uuid, n = 1): Promise<Peer> => {
        const name = { kind: 'segment', conversationId, n } as const;
        const opened = makePeer((socket) =>
          node.open({ userId, sid: 'sid', expiresAt: setup.deps.clock.now() + 3_600_000, name, acks: true, socket }),
        );
        peers = [...peers, opened];
        await vi.waitFor(() => expect(opened.messages.length).toBeGreaterThan(1), soon);
        return opened;
      };
      return { ana, ben, peer };
    }
    const isLogged = (peer: Peer, count: number) => vi.waitFor(() => expect(readLog(peer.doc)).toHaveLength(count), soon);
    /** Which of the texts are stored now. */
    async function found(texts: readonly string[]): Promise<string[]> {
      const all = await setup.dump();
      return texts.filter((text) => all.includes(text));
    }
    async function allGone(texts: readonly string[]): Promise<void> {
      await vi.waitFor(async () => {
        await setup.passMinute();
        expect(await found(texts)).toEqual([]);
      }, soon);
    }

    test('[L13] [D7] every version of it, its extras and what a moderator removed: neither in rows nor in documents', async () => {
      const { ana, ben, peer } = await start();
      const [a, b] = [await peer(ana), await peer(ben)];
      const [first, second, third, extra, removed, kept, before] = ['first', 'second', 'third', 'extra', 'removed', 'kept', 'before'].map(
        canary,
      ) as [string, string, string, string, string, string, string];
      const [mine, theirs, stays] = [newId(), newId(), newId()];
      a.change((doc) => addMessage(doc, ana, mine, [first, null, null, { note: extra }]));
      b.change((doc) => addMessage(doc, ben, theirs, [removed, null, null]));
      a.change((doc) => addMessage(doc, ana, stays, [before, null, null]));
      await isLogged(a, 3);
      a.change((doc) => void editMessage(doc, ana, mine, second, 1));
      a.change((doc) => void editMessage(doc, ana, mine, third, 2));
      a.change((doc) => void editMessage(doc, ana, stays, kept, 3));
      await vi.waitFor(async () => expect((await found([first, third, extra, removed, kept])).length).toBe(5), soon);
      a.change((doc) => deleteMessage(doc, ana, mine));
      a.change((doc) => removeMessage(doc, ana, theirs));
      await allGone([first, second, third, extra, removed]);
      // What was edited keeps its earlier versions in the history, and nowhere else.
      expect(await found([kept, before])).toEqual([kept, before]);
      expect((await setup.dump()).split(before)).toHaveLength(2);
      const late = await peer(ben);
      const held = Buffer.from(Y.encodeStateAsUpdate(late.doc)).toString('latin1');
      expect([first, second, third, extra, removed, before].filter((text) => held.includes(text))).toEqual([]);
      expect(held).toContain(kept);
    });

    test('[L13] [D4] also in a segment that was rolled over; what a closed one did not take was never stored', async () => {
      const { ana, ben, peer } = await start();
      const [a, b] = [await peer(ana), await peer(ben)];
      const [secret, late] = [canary('deleted after the roll-over'), canary('too late')];
      const id = newId();
      a.change((doc) => addMessage(doc, ana, id, [secret, null, null]));
      for (let i = 1; i < LIMITS.segmentMessages; i++) a.change((doc) => addMessage(doc, ana, newId(), [`${i}`, null, null]));
      await isLogged(b, LIMITS.segmentMessages);
      b.change((doc) => addMessage(doc, ben, newId(), [late, null, null]));
      await vi.waitFor(() => expect(b.told.map(({ code }) => code)).toEqual(['closed']), soon);
      expect(await found([secret, late])).toEqual([secret]);
      a.change((doc) => deleteMessage(doc, ana, id));
      await allGone([secret, late]);
      expect(await found(['499'])).toEqual(['499']);
    });
  });
}
