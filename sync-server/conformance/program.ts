import { setTimeout as delay } from 'node:timers/promises';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Writer } from './device.ts';
import { newId } from './frames.ts';
import type { Ledger } from './ledger.ts';
import type { Person } from './person.ts';

const AGAIN_MS = 100;

/** A program that sends over HTTP, one after the other, each with the same id until it is told that it is sent. */
export function openProgram(person: Person, conversationId: Uuid, ledger: Ledger): Writer {
  const waiting: { id: MessageId; body: string }[] = [];
  const refused: string[] = [];
  let running = false;
  let because: string | null = null;
  let sent = 0;

  async function run(): Promise<void> {
    running = true;
    for (let next = waiting[0]; next; next = waiting[0]) {
      const { id, body } = next;
      try {
        const { message } = await person.send(conversationId, body, id);
        ledger.acknowledged(id);
        ledger.shown(conversationId, id, message.seq);
        waiting.shift();
        sent++;
        because = null;
      } catch (error) {
        because = String(error);
        // A server that is not there, or says 503, is asked again; nothing else may be the answer.
        if (because.startsWith('Error: send:') && !because.startsWith('Error: send: 503')) refused.push(`${person.handle}: ${because}`);
        await delay(AGAIN_MS);
      }
    }
    running = false;
  }

  return {
    write(body) {
      const id = newId();
      ledger.written({ id, conversationId, writer: person.handle, body });
      waiting.push({ id, body });
      if (!running) void run();
    },
    state: () => ({ sent, waiting: waiting.length, ...(because !== null && { because }) }),
    refused: () => refused,
    close: () => void waiting.splice(0),
  };
}
