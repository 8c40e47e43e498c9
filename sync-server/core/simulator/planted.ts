/** A mistake, as changes of the product's own source: each `find` must stand in its file exactly once. */
export interface Planted {
  name: string;
  /** What is wrong, and which rule it breaks. */
  mistake: string;
  patches: readonly Patch[];
}

export interface Patch {
  file: string;
  find: string;
  replace: string;
}

/** The simulated world is small, so that its segments roll over and its batches overflow all the time. */
export const SMALL: readonly Patch[] = [
  { file: 'shared/limits.ts', find: 'segmentMessages: 500', replace: 'segmentMessages: 12' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_WORK = 512;', replace: 'const BATCH_WORK = 3;' },
  { file: 'sync-server/core/room/committer.ts', find: 'const BATCH_ROOMS = 256;', replace: 'const BATCH_ROOMS = 2;' },
];

const NO_POLL: Patch = {
  file: 'sync-server/core/node.ts',
  find: "    every(POLL_MS, poll, 'the log could not be polled'),\n",
  replace: '',
};

/** The mistakes that a prototype of this core taught (decisions of 2026-11-24); each has to be found by the simulator. */
export const PLANTED: readonly Planted[] = [
  {
    name: '5.1 sent by the highest clock echoed',
    mistake: 'a device counts as sent what came back under its own client id, though it came back as a tombstone (A6)',
    patches: [
      {
        file: 'sync-server/core/simulator/device.ts',
        find: "if (entry.kind === 'message') return replica !== undefined;",
        replace:
          "if (entry.kind === 'message') return replica !== undefined || segments().some((each) => { const item = itemOf(each, entry.id); return item !== undefined && each.held(item.id.client) > item.id.clock; });",
      },
    ],
  },
  {
    name: '5.2 joining after the await',
    mistake: 'a session counts as inside only once the room has loaded (R2)',
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
    name: '5.3 a covering state vector counted as sent',
    mistake: 'what the server holds by its step 1 counts as sent without a look at the log: a lost 121 goes unnoticed (W3)',
    patches: [
      {
        file: 'sync-server/core/simulator/device.ts',
        find: 'if (replica) sent.set(id, logOf(replica).get(id)!);',
        replace:
          'if (replica) sent.set(id, logOf(replica).get(id)!);\n      else if (segments().some((each) => { const item = itemOf(each, id); return item && each.held(item.id.client) > item.id.clock; })) sent.set(id, -1);',
      },
      {
        file: 'sync-server/core/simulator/device.ts',
        find: 'const RETRY_MS = 200;',
        replace: 'const RETRY_MS = 200;\nconst row_unknown = -1;',
      },
    ],
  },
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
    name: 'rights only at the door',
    mistake: 'who is no member any more goes on listening (G2)',
    patches: [
      {
        file: 'sync-server/core/room/room.ts',
        find: '    if (refusal) watcher.end(refusal);\n',
        replace: '',
      },
    ],
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
    patches: [
      {
        file: 'sync-server/core/room/judge.ts',
        find: '  if (locked.members) takeMembers(room, locked.members);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'an unknown commit taken for a success',
    mistake: 'when nobody can say whether the commit happened, the rooms are served as if it had (L10)',
    patches: [
      {
        file: 'sync-server/core/room/committer.ts',
        find: '      return fail(batch, error);\n',
        replace:
          '      if (!(error instanceof CommitUnknown)) return fail(batch, error);\n      for (const judgement of judgements) settle(judgement);\n      for (const room of batch.keys()) release(room);\n      return;\n',
      },
    ],
  },
];
