import type { Patch, Planted } from './planted-patch.ts';

const NO_POLL: Patch = {
  file: 'sync-server/core/node.ts',
  find: "    every(POLL_MS, poll, 'the log could not be polled'),\n",
  replace: '',
};

/** Mistakes in the core, each in the place where it would be made. */
export const IN_THE_CORE: readonly Planted[] = [
  {
    name: '5.4 a bus beside the log',
    mistake: 'hints are published after the commit, so that a node dying in between tells nobody (L6); without the poll that would heal it',
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
    patches: [NO_POLL],
  },
  {
    name: 'no catch-up under the lock',
    mistake: 'frames are judged against a room that is behind the log (L3)',
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '      advance(room, document.rows, document.claims, document.state);\n',
        replace: '      room.state = document.state;\n',
      },
    ],
  },
  {
    name: 'a failed batch is forgotten',
    mistake: 'frames whose commit failed are not put back (L9)',
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
    name: 'a closed segment goes on',
    mistake: 'new messages are taken into a segment after the next one was opened (D4)',
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
    patches: [{ file: 'sync-server/core/accept/batch.ts', find: "return owner === writer ? 'own' : 'foreign';", replace: "return 'own';" }],
  },
  {
    name: 'deleted text stays in the log',
    mistake: 'a deletion does not ask for compaction (L13)',
    patches: [{ file: 'sync-server/core/room/judge.ts', find: 'compact: built.deleted || built.state', replace: 'compact: built.state' }],
  },
  {
    name: 'compaction keeps what was deleted',
    mistake: 'rows are merged as bytes, not through a live document (L13)',
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
    patches: [{ file: 'sync-server/core/room/judge.ts', find: '    seq += built.state.messages - room.state.messages;\n', replace: '' }],
  },
  {
    name: 'the next segment counts from one too few',
    mistake: 'a roll-over gives the last seq a second time (D5)',
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
    patches: [{ file: 'sync-server/core/session/session.ts', find: '    visitor?.leave();\n', replace: '' }],
  },
  {
    name: 'rooms stay open',
    mistake: 'a session that ends keeps its hold of the room (R4)',
    patches: [{ file: 'sync-server/core/session/session.ts', find: '    hold?.leave();\n', replace: '' }],
  },
  {
    name: 'rights only at the door',
    mistake: 'who is no member any more goes on listening (G2)',
    patches: [{ file: 'sync-server/core/room/room.ts', find: '    if (refusal) watcher.end(refusal);\n', replace: '' }],
  },
  {
    name: 'what waits is written whoever wrote it',
    mistake: 'a frame that waited while its writer was removed is written (G2)',
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
    patches: [{ file: 'sync-server/core/room/judge.ts', find: '  if (locked.members) takeMembers(room, locked.members);\n', replace: '' }],
  },
  {
    name: 'signed out and still served',
    mistake: 'nobody tells open sockets that their session was ended (S4); without the poll that would heal it',
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
    name: 'gaps are taken',
    mistake: 'structs ahead of what the server holds are committed (A3)',
    patches: [{ file: 'sync-server/core/accept/admit.ts', find: '    if (struct.clock > next) ahead();\n', replace: '' }],
  },
  {
    name: 'reading goes back',
    mistake: 'a read position is stored as it comes (P4)',
    patches: [
      {
        file: 'sync-server/memory/membership.ts',
        find: 'const read = Math.max(member.read, Math.min(seq, row.state.seq));\n      if (read > member.read)',
        replace: 'const read = Math.min(seq, row.state.seq);\n      if (read !== member.read)',
      },
    ],
  },
];
