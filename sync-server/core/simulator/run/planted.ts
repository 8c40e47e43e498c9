/** A mistake, as changes of the product's own source: each `find` must stand in its file exactly once. */
export interface Planted {
  name: string;
  /** What is wrong, and which rule it breaks. */
  mistake: string;
  patches: readonly Patch[];
  /** After how many seeds, from 1 on, it was found when this was last measured (`plant.ts`). */
  seed: number;
}

export interface Patch {
  file: string;
  find: string;
  replace: string;
}

/** The simulated world is small, so that its segments roll over and its batches overflow all the time. */
export const SMALL: readonly Patch[] = [
  { file: 'shared/limits.ts', find: 'segmentMessages: 500', replace: 'segmentMessages: 4' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_WORK = 512;', replace: 'const BATCH_WORK = 3;' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_ROOMS = 256;', replace: 'const BATCH_ROOMS = 2;' },
];

const NO_POLL: Patch = {
  file: 'sync-server/core/node.ts',
  find: "    every(POLL_MS, poll, 'the log could not be polled'),\n",
  replace: '',
};

/** Mistakes that people make, each in the place where it would be made; every one of them is found. */
export const PLANTED: readonly Planted[] = [
  {
    name: '5.1 sent by what the server holds',
    mistake: 'an own struct that is committed counts as sent, though it may have come back as a tombstone (A6)',
    seed: 5,
    patches: [
      {
        file: 'client/sync/move-waiting.ts',
        find: 'if (all.some((segment) => segment.isLogged(entry.messageId))) logged.push(entry);',
        replace:
          'if (all.some((segment) => { const own = segment.own(entry.messageId); return segment.isLogged(entry.messageId) || (own && segment.isCommitted(own)); })) logged.push(entry);',
      },
    ],
  },
  {
    name: '5.4 a bus beside the log',
    mistake: 'hints are published after the commit, so that a node dying in between tells nobody (L6); without the poll that would heal it',
    seed: 3,
    patches: [
      NO_POLL,
      {
        file: 'sync-server/memory/update-log.ts',
        find: '          notify(store, hintOf(writes));\n',
        replace: '          told = hintOf(writes);\n',
      },
      {
        file: 'sync-server/memory/update-log.ts',
        find: "      await pause('asked');\n      await underLock(",
        replace: "      await pause('asked');\n      let told: Hint | null = null;\n      await underLock(",
      },
      {
        file: 'sync-server/memory/update-log.ts',
        find: "      );\n      await pause('committed');\n",
        replace: "      );\n      await pause('committed');\n      if (told) notify(store, told);\n",
      },
    ],
  },
  {
    name: '5.5 told before it is durable',
    mistake: 'rooms are served before the commit (L7)',
    seed: 1,
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '        judgements = judgeAll(batch, locked);\n',
        replace: '        judgements = judgeAll(batch, locked);\n        for (const judgement of judgements) settle(judgement);\n',
      },
      {
        file: 'sync-server/core/room/committer.ts',
        find: '    for (const judgement of judgements) settleOrDrop(judgement);\n    for',
        replace: '    for',
      },
    ],
  },
  {
    name: '5.6 read, then listen',
    mistake: 'a node does not read again when its listener returns (L12); without the poll that would heal it',
    seed: 3,
    patches: [
      NO_POLL,
      {
        file: 'sync-server/core/node.ts',
        find: "inboxes.everythingChanged();\n    void poll().catch(warn('the log could not be polled'));",
        replace: 'inboxes.everythingChanged();',
      },
    ],
  },
  {
    name: 'no poll',
    mistake: 'a node that no hint reaches never reads again (L12)',
    seed: 3,
    patches: [NO_POLL],
  },
  {
    name: 'no catch-up under the lock',
    mistake: 'frames are judged against a room that is behind the log (L3)',
    seed: 3,
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '      advance(room, document.rows, document.claims, document.state);\n',
        replace: '      room.state = document.state;\n',
      },
    ],
  },
  {
    name: 'an unknown commit taken for a success',
    mistake: 'when nobody can say whether the commit happened, the rooms are served as if it had (L10)',
    seed: 52,
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '      return fail(batch, error);\n',
        replace:
          '      if (!(error instanceof CommitUnknown)) return fail(batch, error);\n      for (const judgement of judgements) settle(judgement);\n      for (const room of batch.keys()) release(room);\n      return;\n',
      },
    ],
  },
  {
    name: 'a failed batch is forgotten',
    mistake: 'frames whose commit failed are not put back (L9)',
    seed: 10,
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '    for (const [room, jobs] of batch) putBack(room, jobs);\n',
        replace: '    for (const room of batch.keys()) release(room);\n',
      },
    ],
  },
  {
    name: 'a hint is lost while the room loads',
    mistake: 'what was hinted during the load is not looked at after it (L12); without the poll',
    seed: 3,
    patches: [
      NO_POLL,
      {
        file: 'sync-server/core/room/rooms.ts',
        find: '          if (slot.hinted > room.state.position) refreshSoon(room);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'no look at used ids',
    mistake: 'a message that is in another segment already is taken again (D3)',
    seed: 145,
    patches: [{ file: 'sync-server/core/accept/judge.ts', find: "    if (usedIds.has(key)) return 'duplicate';\n", replace: '' }],
  },
  {
    name: 'a closed segment goes on',
    mistake: 'new messages are taken into a segment after the next one was opened (D4)',
    seed: 16,
    patches: [
      {
        file: 'sync-server/core/accept/judge.ts',
        find: "    if (state.closed || state.messages + logged.size >= LIMITS.segmentMessages) return 'closed';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'client ids belong to nobody',
    mistake: 'whoever writes on under a client id is its owner (A2)',
    seed: 95,
    patches: [{ file: 'sync-server/core/accept/batch.ts', find: "return owner === writer ? 'own' : 'foreign';", replace: "return 'own';" }],
  },
  {
    name: 'everybody may enter',
    mistake: 'the right to a document is not asked for (V4)',
    seed: 4,
    patches: [
      {
        file: 'sync-server/core/session/session.ts',
        find: "return standing === 'member' ? null : standing",
        replace: 'return standing !== undefined ? null : standing',
      },
    ],
  },
  {
    name: 'deleted text stays in the log',
    mistake: 'a deletion does not ask for compaction (L13)',
    seed: 23,
    patches: [{ file: 'sync-server/core/room/judge.ts', find: 'compact: built.deleted || built.state', replace: 'compact: built.state' }],
  },
  {
    name: 'compaction keeps what was deleted',
    mistake: 'rows are merged as bytes, not through a live document (L13)',
    seed: 3,
    patches: [
      {
        file: 'sync-server/core/room/compact.ts',
        find: '  return Y.encodeStateAsUpdate(doc);\n',
        replace: '  return Y.mergeUpdates(rows.map(({ update }) => update));\n',
      },
    ],
  },
  {
    name: 'seqs begin again',
    mistake: "the conversation's seq does not move with its log (D5)",
    seed: 1,
    patches: [{ file: 'sync-server/core/room/judge.ts', find: '    seq += built.state.messages - room.state.messages;\n', replace: '' }],
  },
  {
    name: 'the next segment counts from one too few',
    mistake: 'a roll-over gives the last seq a second time (D5)',
    seed: 3,
    patches: [
      {
        file: 'sync-server/core/room/roll-over.ts',
        find: 'const firstSeq = before.firstSeq + before.messages;',
        replace: 'const firstSeq = before.firstSeq + before.messages - 1;',
      },
    ],
  },
  {
    name: 'who left still types',
    mistake: 'a session that ends leaves its presence behind (P5)',
    seed: 1,
    patches: [{ file: 'sync-server/core/session/session.ts', find: '    visitor?.leave();\n', replace: '' }],
  },
  {
    name: 'rooms stay open',
    mistake: 'a session that ends keeps its hold of the room (R4)',
    seed: 1,
    patches: [{ file: 'sync-server/core/session/session.ts', find: '    hold?.leave();\n', replace: '' }],
  },
  {
    name: 'a cut reader is read for',
    mistake: 'an inbox goes on after it was stopped while it spoke (found by this simulator)',
    seed: 42,
    patches: [
      {
        file: 'sync-server/core/session/inbox.ts',
        find: 'say({ changed: [], gone: [], cursor });\n    if (isStopped()) return;\n',
        replace: 'say({ changed: [], gone: [], cursor });\n',
      },
    ],
  },
  {
    name: 'kept as soon as it is asked for',
    mistake: 'the tick does not wait for the transaction',
    seed: 2,
    patches: [
      {
        file: 'client/sync/outbox/outbox.ts',
        find: 'isKept: (id) => held.has(id) && !underway.has(id) && !unkept.has(id)',
        replace: 'isKept: (id) => held.has(id) && !unkept.has(id)',
      },
    ],
  },
  {
    name: 'a failed write counts',
    mistake: 'an aborted transaction leaves the entry as if it were written',
    seed: 60,
    patches: [
      {
        file: 'client/sync/outbox/outbox.ts',
        find: 'if (!outcome) for (const { here } of jobs) for (const [id, entry] of here) unkept.set(id, entry);',
        replace: 'if (!outcome) {}',
      },
    ],
  },
  {
    name: 'what failed is not written again',
    mistake: 'a later transaction forgets what the device did not take before',
    seed: 60,
    patches: [{ file: 'client/sync/outbox/in-order.ts', find: '    apply(known);\n', replace: '' }],
  },
  {
    name: 'siblings are not told',
    mistake: 'other tabs do not hear what became of an entry',
    seed: 1,
    patches: [{ file: 'client/sync/outbox/outbox.ts', find: '    if (outcome) siblings.tell(ids);\n', replace: '' }],
  },
  {
    name: 'taken back after it has left',
    mistake: 'a message that may have left is only taken out of the outbox',
    seed: 232,
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: "if (message?.kind !== 'message' || message.placed || isElsewhere) return one(change);",
        replace: "if (message?.kind !== 'message' || isElsewhere) return one(change);",
      },
    ],
  },
  {
    name: 'closed is taken for done',
    mistake: 'a message that a closed segment did not take leaves the outbox',
    seed: 5,
    patches: [
      {
        file: 'client/sync/conversation-replica.ts',
        find: "if (code === 'closed') mover.closed(messageId, n);",
        replace: "if (code === 'closed') outbox.done([message]);",
      },
    ],
  },
  {
    name: 'gone before it is here',
    mistake: "an own message that a sibling saw in the log leaves this tab's screen at once",
    seed: 34,
    patches: [{ file: 'client/sync/conversation-replica.ts', find: '    departed.look(outbox.of(id));\n', replace: '' }],
  },
  {
    name: 'a dead line is kept',
    mistake: 'a line that does not answer is not given up (F7)',
    seed: 7,
    patches: [
      {
        file: 'client/sync/wire/line.ts',
        find: "    else if (asked) end(ABNORMAL, 'silent');\n    else askFor",
        replace: '    else if (!asked) askFor',
      },
    ],
  },
  {
    name: 'channels are not opened again',
    mistake: 'after a reconnect the documents have no way to the server (W9)',
    seed: 2,
    patches: [
      {
        file: 'client/sync/wire/connection.ts',
        find: '    for (const socket of sockets) openChannel(socket);\n    notify();',
        replace: '    notify();',
      },
    ],
  },
  {
    name: 'a failed request stays busy',
    mistake: 'a first contact that failed once is not tried again',
    seed: 4,
    patches: [{ file: 'client/sync/move-requests.ts', find: '    } finally {\n      busy.delete(entry.id);\n    }', replace: '    }' }],
  },
  {
    name: '5.2 joining after the await',
    mistake: 'a session counts as inside only once the room has loaded (R2)',
    seed: 0,
    patches: [
      { file: 'sync-server/core/room/rooms.ts', find: '      slot.holds++;\n', replace: '' },
      {
        file: 'sync-server/core/room/rooms.ts',
        find: '        if (room.closed) throw new Error(`${id}: dropped while somebody waited for it`);\n',
        replace: '        await log.ahead([]);\n        slot.holds++;\n',
      },
      // The queue of a closed room turns work away, which sends such a session back to the door; without that it would sit there.
      { file: 'sync-server/core/room/committer.ts', find: 'if (room.closed || !room.queue', replace: 'if (!room.queue' },
    ],
  },
  {
    name: 'rights only at the door',
    mistake: 'who is no member any more goes on listening (G2)',
    seed: 0,
    patches: [{ file: 'sync-server/core/room/room.ts', find: '    if (refusal) watcher.end(refusal);\n', replace: '' }],
  },
  {
    name: 'what waits is written whoever wrote it',
    mistake: 'a frame that waited while its writer was removed is written (G2)',
    seed: 0,
    patches: [
      {
        file: 'sync-server/core/room/judge.ts',
        find: "    if (!members.has(from.userId)) return { kind: 'not-member', from };\n",
        replace: '',
      },
    ],
  },
  {
    name: 'blocks looked at once',
    mistake: 'members under the lock are not looked at again when their version is another (G1)',
    seed: 0,
    patches: [{ file: 'sync-server/core/room/judge.ts', find: '  if (locked.members) takeMembers(room, locked.members);\n', replace: '' }],
  },
  {
    name: 'newcomers read what was',
    mistake: 'the segments before somebody joined open for them (G2)',
    seed: 0,
    patches: [
      {
        file: 'sync-server/core/room/room.ts',
        find: "return name.kind === 'segment' && state.firstSeq <= (member.from ?? 0) ? 'notFound' : null;",
        replace: "return name.kind === 'segment' && state.firstSeq < 0 ? 'notFound' : null;",
      },
    ],
  },
  {
    name: 'newcomers begin in the middle of a segment',
    mistake: 'no new segment is opened for those who may not read what was (G2)',
    seed: 0,
    patches: [
      {
        file: 'sync-server/core/rights/members.ts',
        find: 'last && last.messages > 0 && changes.some(beginsAnew)',
        replace: 'last && changes.length < 0',
      },
    ],
  },
  {
    name: 'signed out and still served',
    mistake: 'nobody tells open sockets that their session was ended (S4); without the poll that would heal it',
    seed: 0,
    patches: [
      {
        file: 'sync-server/core/node.ts',
        find: "    every(POLL_MS, signInWatch.check, 'sign-ins could not be looked at'),\n",
        replace: '',
      },
      {
        file: 'sync-server/core/node.ts',
        find: "      case 'signed-out':\n        return endSessions(hint);",
        replace: "      case 'signed-out':\n        return;",
      },
    ],
  },
  {
    name: 'who was taken out waits for ever',
    mistake: 'what waits in a conversation that is closed to its writer never fails (found by this simulator)',
    seed: 0,
    patches: [{ file: 'client/sync/conversation-replica.ts', find: '    giveUp();\n', replace: '' }],
  },
  {
    name: 'who is back stays outside',
    mistake: 'a conversation that was closed to somebody is not opened again when they are back (found by this simulator)',
    seed: 0,
    patches: [{ file: 'client/sync/conversations.ts', find: '    comeBack();\n', replace: '' }],
  },
  {
    name: 'a failed message leaves its edit behind',
    mistake: 'the edit of a message that was not taken waits for ever (found by this simulator)',
    seed: 0,
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: 'const change = found.get(changeKey(entry.messageId));\n      if (!change) continue;\n      const mayStand',
        replace: 'const change = undefined as Entry | undefined;\n      if (!change) continue;\n      const mayStand',
      },
    ],
  },
  {
    name: 'whoever takes over waits',
    mistake: 'a tab that is the mover from now on looks at nothing that it has open (found by this simulator)',
    seed: 0,
    patches: [
      { file: 'client/sync/conversations.ts', find: '      for (const replica of replicas.values()) replica.move();\n', replace: '' },
    ],
  },
  {
    name: 'last words are told to nobody',
    mistake: 'what a tab wrote before it ended no other tab hears of (found by this simulator)',
    seed: 0,
    patches: [
      {
        file: 'client/sync/outbox/outbox.ts',
        find: '    if (found && found.length > 0) siblings.tell(found.map(({ id }) => id));\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a thread with an empty end',
    mistake: 'a thread is shown from the newest segment on, though nothing of it is here yet (found by this simulator)',
    seed: 0,
    patches: [
      {
        file: 'client/sync/conversation-replica.ts',
        find: 'holding.length > 0 ? holding : [...here.values()]',
        replace: '[...segments.values()]',
      },
      {
        file: 'client/sync/conversation-replica.ts',
        find: 'new Map([...segments].filter(([, segment]) => hasCome(segment)))',
        replace: 'segments',
      },
    ],
  },
  {
    name: 'done whatever it says now',
    mistake: 'an entry leaves the outbox though it was changed meanwhile',
    seed: 0,
    patches: [{ file: 'client/sync/outbox/entry.ts', find: 'isSame(found.get(entry.id), entry)', replace: 'found.has(entry.id)' }],
  },
  {
    name: 'a refused frame leaves something',
    mistake: 'what of a refused frame was placed stays in the batch (A9)',
    seed: 0,
    patches: [{ file: 'sync-server/core/accept/admit.ts', find: '    input.overlay.undo();\n', replace: '' }],
  },
  {
    name: 'an edit of what has left',
    mistake: 'the text of a message that may have left is changed in the outbox alone',
    seed: 0,
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: "if (message?.kind === 'message' && !message.placed && !isElsewhere) return",
        replace: "if (message?.kind === 'message' && !isElsewhere) return",
      },
    ],
  },
  {
    name: 'an edit raises the dead',
    mistake: 'an edit that comes after the deletion gives the message its text back (D7)',
    seed: 0,
    patches: [
      {
        file: 'sync-server/core/accept/judge.ts',
        find: "    if (fate(slot) === 'dead') return 'removed';\n",
        replace: "    if (fate(slot) === 'dead') return null;\n",
      },
    ],
  },
  {
    name: 'any lane will do',
    mistake: "the lane that a struct names is not compared with the writer's (A4)",
    seed: 0,
    patches: [
      { file: 'sync-server/core/accept/admit.ts', find: "  if (struct.root !== lane.name) refuse('foreign-lane');\n", replace: '' },
    ],
  },
  {
    name: 'gaps are taken',
    mistake: 'structs ahead of what the server holds are committed (A3)',
    seed: 0,
    patches: [{ file: 'sync-server/core/accept/admit.ts', find: '    if (struct.clock > next) ahead();\n', replace: '' }],
  },
  {
    name: 'left before it is said',
    mistake: 'a message goes into the document before the device knows that it may have left',
    seed: 0,
    patches: [
      {
        file: 'client/sync/move-waiting.ts',
        find: 'if (unclaimed.length > 0) claim(outbox, unclaimed, (claimed) => outbox.claim(unclaimed, claimed));\n    else if',
        replace: 'if (unclaimed.length > 0) claim(outbox, unclaimed, (claimed) => outbox.claim(unclaimed, claimed));\n    if',
      },
    ],
  },
  {
    name: 'reading goes back',
    mistake: 'a read position is stored as it comes (P4)',
    seed: 0,
    patches: [
      {
        file: 'sync-server/memory/membership.ts',
        find: 'const read = Math.max(member.read, Math.min(seq, row.state.seq));\n      if (read > member.read)',
        replace: 'const read = Math.min(seq, row.state.seq);\n      if (read !== member.read)',
      },
    ],
  },
  {
    name: 'the list goes back',
    mistake: 'an answer over HTTP that was overtaken replaces what the socket has told (found by this simulator)',
    seed: 0,
    patches: [{ file: 'client/sync/inbox.ts', find: 'if (!isOlder(row, rows.get(row.id))) rows.set', replace: 'rows.set' }],
  },
  {
    name: 'the outbox begins as new',
    mistake: 'after a start nothing counts as having left',
    seed: 0,
    patches: [
      {
        file: 'client/sync/outbox/outbox.ts',
        find: 'if (!underway.has(entry.id) && !unkept.has(entry.id)) take(entry.id, entry);',
        replace:
          "if (!underway.has(entry.id) && !unkept.has(entry.id)) take(entry.id, entry.kind === 'message' ? { ...entry, placed: false } : entry);",
      },
    ],
  },
  {
    name: 'two devices write against each other',
    mistake: 'an edit that another device has written over is set again',
    seed: 0,
    patches: [
      {
        file: 'client/sync/move-waiting.ts',
        find: "      if (before) return home.isCommitted(before) ? done([entry]) : 'waits';\n",
        replace: '',
      },
    ],
  },
];
