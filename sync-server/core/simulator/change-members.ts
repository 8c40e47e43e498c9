import type { Uuid } from '../../../shared/ids.ts';
import type { Role } from '../../../shared/conversation.ts';
import type { Action } from './plan.ts';
import type { World } from './world.ts';

const ROLES: readonly Role[] = ['member', 'admin', 'owner'];

/** Somebody changes who belongs to a group: takes out, brings in, leaves, gives a role. What is not theirs to do is refused by the server. */
export function changeMembers({ groups, users, backend, processes, ledger, hostile }: World, { who, much }: Action): void {
  const conversationId = groups[who % groups.length];
  const row = conversationId === undefined ? undefined : backend.store.conversations.get(conversationId);
  const process = processes[much % processes.length];
  if (conversationId === undefined || !row || !process?.isAlive()) return;
  const members = [...row.members.values()];
  const owner = members.find(({ role }) => role === 'owner');
  const everybody = [...users, ...(hostile.isMember ? [hostile.member] : [])];
  const userId = everybody[much % everybody.length]!;
  // Mostly it is somebody who may.
  const actor = who % 8 === 0 || !owner ? everybody[who % everybody.length]! : owner.userId;
  const { messaging } = process.node;

  async function change(): Promise<unknown> {
    if (who % 10 === 1) return messaging.members.remove(userId, conversationId!, userId);
    if (!row!.members.has(userId)) return bringIn(actor, conversationId!, userId);
    const role = ROLES[who % 7];
    if (role) return messaging.members.setRole(actor, conversationId!, { userId, role });
    return messaging.members.remove(actor, conversationId!, userId);
  }
  async function bringIn(by: Uuid, id: Uuid, other: Uuid): Promise<unknown> {
    const done = await messaging.ask(by, [other], () => messaging.members.put(by, id, { userId: other, role: undefined }));
    if (done === null) ledger.limited.add(`${by} ${other}`);
    return done;
  }
  // One that failed, or of which nobody knows, is one that is asked for again or not.
  change().catch(() => {});
}
