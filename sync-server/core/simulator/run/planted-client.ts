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
        find: '          unkept.set(id, entry);',
        replace: '',
      },
    ],
  },
  {
    name: 'what failed is not written again',
    mistake: 'a later transaction forgets what the device did not take before',
    patches: [{ file: 'client/sync/outbox/in-order.ts', find: '    apply(rebase(known));\n', replace: '' }],
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
        find: "if (message?.kind !== 'message' || mayHaveLeft(message, isElsewhere))\n",
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
];
