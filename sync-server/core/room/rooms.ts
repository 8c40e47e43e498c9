import type { Clock } from '../../../shared/clock.ts';
import type { CloseName } from '../../../shared/close-codes.ts';
import { type DocumentName, type Uuid, formatDocumentId } from '../../../shared/ids.ts';
import { LIMITS } from '../../../shared/limits.ts';
import type { Claim, DocumentState, Logger, UpdateLog, UpdateRow } from '../ports.ts';
import { BrokenDocument, type Room, advance, makeRoom, takeMembers } from './room.ts';
import type { Watcher } from './work.ts';

/** The rooms of a node. */
export interface Rooms {
  /**
   * Opens the room, or takes the open one, and keeps it open until the returned hold is let go (R2). `join` is called with the loaded room
   * and its watcher joins in the same synchronous step (L11), or nobody does. Null: no such document. Rejects when the load failed or the room is in
   * quarantine (R3); what is stored of it and is no whole document puts it there.
   */
  enter(name: DocumentName, join?: (room: Room) => Watcher | null): Promise<Hold | null>;
  /** The log of a document has come to this position (L12). */
  hinted(name: DocumentName, position: number): void;
  /** Members of a conversation changed: each of its rooms reads them anew, also one that is just being loaded. */
  membersChanged(conversationId: Uuid): Promise<void>;
  /** The open room of a document, if there is one. */
  get(name: DocumentName): Room | undefined;
  open(): Iterable<Room>;
  /** Takes committed rows, or reads them where some are missing in between. */
  offer(room: Room, rows: readonly UpdateRow[], claims: readonly Claim[], state: DocumentState): void;
  /** Reads what the log holds beyond the room's position, and takes it. Rejects when the log cannot be read. */
  refresh(room: Room): Promise<void>;
  /** Throws the room away; its sessions are closed and its waiting work is told `unavailable` (L10). */
  drop(room: Room, close: CloseName, reason?: string): void;
  /** Refuses to open the document for a while (L9). */
  quarantine(room: Room): void;
  /** Closes the room if nobody watches, holds or writes (R4). */
  closeIdle(room: Room): void;
}

export interface Hold {
  room: Room;
  /** A watcher joined. */
  joined: boolean;
  leave(): void;
}

/** Thrown by `enter` for a room in quarantine, and when this node has too many; its message is for whoever wanted to get in. */
export class NotNow extends Error {
  override name = 'NotNow';
}

/** How long a poisoned document stays shut. */
export const QUARANTINE_MS = 30_000;
/** What those outside are told. */
export const QUARANTINED = 'quarantined';

interface Slot {
  conversationId: Uuid;
  /** Those inside and those waiting at the door; the room stays while there is one. */
  holds: number;
  /** The highest position that a hint named while the room was loading. */
  hinted: number;
  loading: Promise<Room | null>;
  room: Room | null;
}

export function makeRooms(deps: { log: UpdateLog; clock: Clock; logger: Logger }, most: number = LIMITS.rooms): Rooms {
  const { log, clock, logger } = deps;
  const slots = new Map<string, Slot>();
  const quarantined = new Map<string, number>();

  async function load(name: DocumentName): Promise<Room | null> {
    const loaded = await log.read(name.conversationId, name.n, 0);
    if (!loaded || (loaded.conversation.kind === 'private') !== (name.kind === 'user')) return null;
    try {
      return makeRoom(name, loaded);
    } catch (error) {
      if (!(error instanceof BrokenDocument)) throw error;
      logger.error({ document: formatDocumentId(name), error: error.message }, 'a stored document is broken; it is quarantined');
      shut(formatDocumentId(name));
      throw new NotNow(QUARANTINED);
    }
  }

  function shut(id: string): void {
    const until = clock.elapsed() + QUARANTINE_MS;
    quarantined.set(id, until);
    clock.after(QUARANTINE_MS, () => quarantined.get(id) === until && quarantined.delete(id));
  }

  function openSlot(name: DocumentName, id: string): Slot {
    const slot: Slot = { conversationId: name.conversationId, holds: 0, hinted: 0, room: null, loading: load(name) };
    slots.set(id, slot);
    slot.loading.then(
      (room) => {
        if (room) {
          slot.room = room;
          if (slot.hinted > room.state.position) refreshSoon(room);
        } else if (slots.get(id) === slot) slots.delete(id);
      },
      () => {
        if (slots.get(id) === slot) slots.delete(id);
      },
    );
    return slot;
  }

  function closeIdle(room: Room): void {
    const slot = slots.get(room.id);
    if (slot?.room !== room || slot.holds > 0 || room.queue.length > 0 || room.busy) return;
    room.closed = true;
    slots.delete(room.id);
  }

  function drop(room: Room, close: CloseName, reason?: string): void {
    if (room.closed) return;
    room.closed = true;
    if (slots.get(room.id)?.room === room) slots.delete(room.id);
    for (const work of room.queue.takeAll()) if (work.kind === 'post') work.done({ kind: 'unavailable' });
    for (const watcher of [...room.watchers]) watcher.end(close, reason);
  }

  /** `advance`, with a room that cannot take the rows dropped: its sessions come back to a fresh one (L7). */
  function take(room: Room, rows: readonly UpdateRow[], claims: readonly Claim[], state: DocumentState): void {
    try {
      advance(room, rows, claims, state);
    } catch (error) {
      logger.error({ document: room.id, error: String(error) }, 'a room could not take committed rows');
      drop(room, 'restart');
    }
  }

  async function refresh(room: Room): Promise<void> {
    const { conversationId, n } = room.name;
    const read = await log.read(conversationId, n, room.state.position);
    if (!read || room.closed) return;
    if (read.conversation.membersVersion >= room.conversation.membersVersion) {
      room.conversation = read.conversation;
      takeMembers(room, read.members);
    }
    take(room, read.rows, read.claims, read.document);
  }

  function refreshSoon(room: Room): void {
    refresh(room).catch((error: unknown) => logger.warn({ document: room.id, error: String(error) }, 'a room could not be refreshed'));
  }

  return {
    hinted(name, position) {
      const slot = slots.get(formatDocumentId(name));
      if (!slot) return;
      slot.hinted = Math.max(slot.hinted, position);
      if (slot.room && slot.room.state.position < position) refreshSoon(slot.room);
    },
    async membersChanged(conversationId) {
      const concerned = [...slots.values()].filter((slot) => slot.conversationId === conversationId);
      for (const slot of concerned) slot.hinted = Number.MAX_SAFE_INTEGER;
      await Promise.all(concerned.flatMap(({ room }) => (room ? refresh(room) : [])));
    },
    async enter(name, join) {
      const id = formatDocumentId(name);
      const until = quarantined.get(id);
      if (until !== undefined && until > clock.elapsed()) throw new NotNow(QUARANTINED);
      const isOwn = !slots.has(id);
      if (isOwn && slots.size >= most) throw new NotNow('too many rooms');
      const slot = slots.get(id) ?? openSlot(name, id);
      let watcher: Watcher | null | undefined;
      slot.holds++;
      const leave = (): void => {
        slot.holds--;
        if (watcher) slot.room?.watchers.delete(watcher);
        if (slot.room) closeIdle(slot.room);
      };
      try {
        const room = await slot.loading;
        // A load that somebody else began may be older than the document.
        if (!room) return isOwn ? null : this.enter(name, join);
        if (room.closed) throw new Error(`${id}: dropped while somebody waited for it`);
        watcher = join?.(room);
        if (watcher) room.watchers.add(watcher);
        let inside = true;
        return {
          room,
          joined: Boolean(watcher),
          leave: () => {
            if (inside) leave();
            inside = false;
          },
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
    get: (name) => slots.get(formatDocumentId(name))?.room ?? undefined,
    *open() {
      for (const { room } of slots.values()) if (room) yield room;
    },
    offer(room, rows, claims, state) {
      const first = rows[0];
      if (first && first.position > room.state.position + 1) {
        refreshSoon(room);
      } else take(room, rows, claims, state);
    },
    refresh,
    drop,
    quarantine(room) {
      shut(room.id);
      drop(room, 'tryLater', QUARANTINED);
    },
    closeIdle,
  };
}
