import type { Planted } from './planted-patch.ts';

/** Mistakes in the client's engine. */
export const IN_THE_CLIENT: readonly Planted[] = [
  {
    name: '5.1 sent by what the server holds',
    mistake: 'an own struct that is committed counts as sent, though it may have come back as a tombstone (A6)',
    patches: [
      {
        file: 'client/sync/move-waiting.ts',
        find: 'const home = all.find((segment) => segment.isLogged(entry.messageId));',
        replace:
          'const home = all.find((segment) => { const own = segment.own(entry.messageId); return segment.isLogged(entry.messageId) || (own && segment.isCommitted(own)); });',
      },
    ],
  },
  {
    name: 'kept as soon as it is asked for',
    mistake: 'the tick does not wait for the transaction',
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
    patches: [{ file: 'client/sync/outbox/in-order.ts', find: '    apply(known);\n', replace: '' }],
  },
  {
    name: 'siblings are not told',
    mistake: 'other tabs do not hear what became of an entry',
    patches: [{ file: 'client/sync/outbox/outbox.ts', find: '    if (outcome) siblings.tell(ids);\n', replace: '' }],
  },
  {
    name: 'taken back after it has left',
    mistake: 'a message that may have left is only taken out of the outbox',
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: "if (message?.kind !== 'message' || message.placed || isElsewhere)\n",
        replace: "if (message?.kind !== 'message' || isElsewhere)\n",
      },
    ],
  },
  {
    name: 'closed is taken for done',
    mistake: 'a message that a closed segment did not take leaves the outbox',
    patches: [
      {
        file: 'client/sync/neutralised.ts',
        find: "if (code === 'closed') mover.closed(id, n);",
        replace: "if (code === 'closed') outbox.done([message]);",
      },
    ],
  },
  {
    name: 'gone before it is here',
    mistake: "an own message that a sibling saw in the log leaves this tab's screen at once",
    patches: [{ file: 'client/sync/conversation-replica.ts', find: '    departed.look(outbox.placed(id));\n', replace: '' }],
  },
  {
    name: 'a dead line is kept',
    mistake: 'a line that does not answer is not given up (F7)',
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
    patches: [{ file: 'client/sync/move-requests.ts', find: '    } finally {\n      busy.delete(entry.id);\n    }', replace: '    }' }],
  },
  {
    name: 'who was taken out waits for ever',
    mistake: 'what waits in a conversation that is closed to its writer never fails (found by this simulator)',
    patches: [{ file: 'client/sync/conversation-replica.ts', find: '    giveUp();\n', replace: '' }],
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
    name: 'a thread with an empty end',
    mistake: 'a thread is shown from the newest segment on, though nothing of it is here yet (found by this simulator)',
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
    patches: [{ file: 'client/sync/outbox/entry.ts', find: 'isSame(found.get(entry.id), entry)', replace: 'found.has(entry.id)' }],
  },
  {
    name: 'an edit of what has left',
    mistake: 'the text of a message that may have left is changed in the outbox alone',
    patches: [
      {
        file: 'client/sync/outbox/entry.ts',
        find: "if (message?.kind === 'message' && !message.placed && !isElsewhere) {",
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
    patches: [{ file: 'client/sync/inbox.ts', find: 'if (!isOlder(row, rows.get(row.id))) rows.set', replace: 'rows.set' }],
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
];
