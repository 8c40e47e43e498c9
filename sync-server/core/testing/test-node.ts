import { type RandomBytes, systemRandom } from '../../../shared/clock.ts';
import { type MessageId, type Uuid, makeMessageId, makeUuid, parseDocumentId } from '../../../shared/ids.ts';
import { makeMemoryBus } from '../../memory/hint-bus.ts';
import { makeMemoryInbox } from '../../memory/inbox.ts';
import { makeMemorySignIns } from '../../memory/standing-sign-ins.ts';
import { makeMemoryMembership } from '../../memory/membership.ts';
import { makeMemoryDepartures, makeMemoryRelations } from '../../memory/relations.ts';
import { type MemoryStore, type StoredConversation, makeMemoryStore } from '../../memory/store.ts';
import { type Moment, makeMemoryLog } from '../../memory/update-log.ts';
import { type Node, startNode } from '../node.ts';
import { membersMay } from '../rights/permissions.ts';
import type { HintBus, Permissions } from '../ports.ts';
import { type ManualClock, makeManualClock, settled } from './manual-clock.ts';
import { type Peer, makePeer } from './peer.ts';

/** A node over memory adapters, a clock moved by hand, and two people who know each other, with a direct conversation. */
export interface TestNode {
  node: Node;
  store: MemoryStore;
  clock: ManualClock;
  ana: Uuid;
  ben: Uuid;
  conversationId: Uuid;
  row(id?: Uuid): StoredConversation;
  /** Opens a document and waits until it is served or refused. */
  open(userId: Uuid, documentId: string, options?: { acks?: boolean; sid?: string; expiresAt?: number; on?: Node }): Promise<Peer>;
  messageId(): MessageId;
  /** What the log does at the next moments: an error is thrown there, once for each. */
  faults: { moment: Moment; error: Error }[];
  /** On the same log; `wrap` is what becomes of the hints on their way to it. */
  anotherNode(wrap?: (bus: HintBus) => HintBus): Promise<Node>;
}

export async function startTestNode(options: { permissions?: Permissions; random?: RandomBytes } = {}): Promise<TestNode> {
  const store = makeMemoryStore();
  const clock = makeManualClock();
  const random = options.random ?? systemRandom;
  const faults: TestNode['faults'] = [];
  const pause = async (moment: Moment): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    const i = faults.findIndex((fault) => fault.moment === moment);
    if (i !== -1) throw faults.splice(i, 1)[0]!.error;
  };
  const anotherNode: TestNode['anotherNode'] = (wrap = (bus) => bus) =>
    startNode({
      log: makeMemoryLog(store, { clock, pause }),
      bus: wrap(makeMemoryBus(store)),
      membership: makeMemoryMembership(store),
      relations: makeMemoryRelations(store),
      departures: makeMemoryDepartures(store),
      signIns: makeMemorySignIns(store),
      inbox: makeMemoryInbox(store, () => new Promise((resolve) => setImmediate(resolve))),
      permissions: options.permissions ?? membersMay,
      clock,
      random,
      logger: { info() {}, warn() {}, error() {} },
    });
  const node = await anotherNode();
  const [ana, ben] = [makeUuid(clock.now(), random), makeUuid(clock.now(), random)];
  const { conversationId } = await node.messaging.openDirect(ana, ben);
  await node.messaging.members.accept(ben, conversationId);

  return {
    node,
    store,
    clock,
    ana,
    ben,
    conversationId,
    faults,
    anotherNode,
    row: (id = conversationId) => store.conversations.get(id)!,
    messageId: () => makeMessageId(clock.now(), random),
    async open(userId, documentId, { acks = true, sid = 'sid', expiresAt = clock.now() + 900_000, on = node } = {}) {
      const name = parseDocumentId(documentId)!;
      const peer = makePeer((socket) => on.open({ userId, sid, expiresAt, name, acks, socket }));
      await settled();
      return peer;
    },
  };
}
