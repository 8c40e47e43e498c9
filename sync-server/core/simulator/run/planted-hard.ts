import type { Planted } from './planted-patch.ts';

/** Mistakes that take long to find: `HARD=1` looks for them (`plant.ts`), the tests do not wait for it. */
export const HARD: readonly Planted[] = [
  {
    name: 'newcomers read what was',
    mistake: 'the segments before somebody joined open for them (G2)',
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
    patches: [
      {
        file: 'sync-server/core/rights/members.ts',
        find: 'last && last.messages > 0 && changes.some(beginsAnew)',
        replace: 'last && changes.length < 0',
      },
    ],
  },
  {
    name: 'a refused frame leaves something',
    mistake: 'what of a refused frame was placed stays in the batch (A9)',
    patches: [{ file: 'sync-server/core/accept/admit.ts', find: '    input.overlay.undo();\n', replace: '' }],
  },
  {
    name: 'an edit raises the dead',
    mistake: 'an edit that comes after the deletion gives the message its text back (D7)',
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
    patches: [
      { file: 'sync-server/core/accept/admit.ts', find: "  if (struct.root !== lane.name) refuse('foreign-lane');\n", replace: '' },
    ],
  },
  {
    name: 'who is back stays outside',
    mistake: 'a conversation that was closed to somebody is not opened again when they are back (found by this simulator)',
    patches: [{ file: 'client/sync/conversations.ts', find: '    comeBack();\n', replace: '' }],
  },
  {
    name: 'a failed message leaves its edit behind',
    mistake: 'the edit of a message that was not taken waits for ever (found by this simulator)',
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
    patches: [
      { file: 'client/sync/conversations.ts', find: '      for (const replica of replicas.values()) replica.move();\n', replace: '' },
    ],
  },
  {
    name: 'last words are told to nobody',
    mistake: 'what a tab wrote before it ended no other tab hears of (found by this simulator)',
    patches: [
      {
        file: 'client/sync/outbox/outbox.ts',
        find: '    if (found && found.length > 0) siblings.tell(found.map(({ id }) => id));\n',
        replace: '',
      },
    ],
  },
  {
    name: 'done whatever it says now',
    mistake: 'an entry leaves the outbox though it was changed meanwhile',
    patches: [{ file: 'client/sync/outbox/entry.ts', find: 'isSame(found.get(entry.id), entry)', replace: 'found.has(entry.id)' }],
  },
  {
    name: 'an edit of what has left',
    mistake: 'the text of a message that may have left is changed in the outbox alone',
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: "if (message?.kind === 'message' && !mayHaveLeft(message, isElsewhere)) {",
        replace: "if (message?.kind === 'message' && !isElsewhere) {",
      },
    ],
  },
  {
    name: 'left before it is said',
    mistake: 'a message goes into the document before the device knows that it may have left',
    patches: [
      {
        file: 'client/sync/move-waiting.ts',
        find: 'if (unclaimed.length > 0) claims.place(unclaimed);\n    else if',
        replace: 'if (unclaimed.length > 0) claims.place(unclaimed);\n    if',
      },
    ],
  },
  {
    name: 'the list goes back',
    mistake: 'an answer over HTTP that was overtaken replaces what the socket has told (found by this simulator)',
    patches: [
      {
        file: 'client/sync/inbox.ts',
        find: 'changed: all.filter(({ id }) => isAsBefore(id)), gone',
        replace: 'changed: [...all], gone',
      },
    ],
  },
  {
    name: 'the outbox begins as new',
    mistake: 'after a start nothing counts as having left',
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
    patches: [
      {
        file: 'client/sync/settle-following.ts',
        find: '  if (before) return home.isCommitted(before) ? DONE : WAITS;\n  // Set here',
        replace: '  // Set here',
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
  {
    name: 'no look at used ids',
    mistake: 'a message that is in another segment already is taken again (D3)',
    patches: [{ file: 'sync-server/core/accept/judge.ts', find: "    if (usedIds.has(key)) return 'duplicate';\n", replace: '' }],
  },
  {
    name: 'everybody may enter',
    mistake: 'the right to a document is not asked for (V4)',
    patches: [
      {
        file: 'sync-server/core/session/session.ts',
        find: "return standing === 'member' ? null : standing",
        replace: 'return standing !== undefined ? null : standing',
      },
    ],
  },
  {
    name: 'a cut reader is read for',
    mistake: 'an inbox goes on after it was stopped while it spoke (found by this simulator)',
    patches: [
      {
        file: 'sync-server/core/session/inbox.ts',
        find: 'say({ changed: [], gone: [], cursor });\n    if (isStopped()) return;\n',
        replace: 'say({ changed: [], gone: [], cursor });\n',
      },
    ],
  },
];
