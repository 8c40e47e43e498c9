import { conversationAnswer } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { type Writer, openDevice } from '../device.ts';
import type { Ledger } from '../ledger.ts';
import { type Person, register } from '../person.ts';
import { openProgram } from '../program.ts';
import type { Cluster } from './cluster.ts';

/** A group in which everybody writes, each from a client of another kind. */
export interface Crew {
  conversationId: Uuid;
  people: Person[];
  writers: Writer[];
}

/** Who writes in a group: devices that ask for acks, such as ours, stock ones, and a program over HTTP. */
const KINDS = ['device', 'device', 'device', 'stock', 'stock', 'program'] as const;
const TICK_MS = 20;

export async function openCrew(cluster: Pick<Cluster, 'origin' | 'syncUrl'>, name: string, ledger: Ledger): Promise<Crew> {
  const people: Person[] = [];
  for (const [i, kind] of KINDS.entries()) people.push(await register(cluster.origin, `${name}-${kind}-${i}`));
  const [first, ...others] = people as [Person, ...Person[]];
  const body = { title: name, memberIds: others.map(({ id }) => id) };
  const { id } = conversationAnswer.parse((await first.call('POST', '/api/messaging/conversations', body)).body).conversation;
  const writers = people.map((person, i) =>
    KINDS[i] === 'program' ? openProgram(person, id, ledger) : openDevice(cluster, person, id, ledger, { acks: KINDS[i] === 'device' }),
  );
  return { conversationId: id, people, writers };
}

/** So many messages a second, whatever becomes of them. A program waits for each answer: it writes one for ten of a device. Returns the way to stop. */
export function keepWriting(crews: readonly Crew[], perSecond: number): () => void {
  const devices = crews.flatMap(({ writers }) => writers.filter((_, i) => KINDS[i] !== 'program'));
  const programs = crews.flatMap(({ writers }) => writers.filter((_, i) => KINDS[i] === 'program'));
  const turns = [...Array.from({ length: 10 }, () => devices).flat(), ...programs];
  const startedAt = Date.now();
  let count = 0;
  const timer = setInterval(() => {
    for (const due = ((Date.now() - startedAt) * perSecond) / 1000; count < due; count++)
      turns[count % turns.length]!.write(`message ${count}`);
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** Renews everybody's session, however often that has to be asked for. */
export async function renew(people: readonly Person[]): Promise<void> {
  for (const person of people)
    for (let isDone = false; !isDone;)
      isDone = await person.refresh().then(
        () => true,
        () => false,
      );
}
