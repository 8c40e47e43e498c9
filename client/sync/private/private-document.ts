import { type Uuid, parseDocumentId } from '../../../shared/ids.ts';
import {
  type ConversationMarks,
  type Setting,
  draftKey,
  isDraftKey,
  isPrivateEntry,
  marksKey,
  settingKey,
} from '../../../shared/user-document.ts';
import type { Me } from '../../../shared/api.ts';
import { type Api, ApiError } from '../api.ts';
import { makePrivateMover } from './move-private.ts';
import { type Entry, type PrivateValue, privateKey } from '../outbox/entry.ts';
import { over } from '../outbox/following.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { type PrivateReplica, openPrivateReplica } from './private-replica.ts';
import type { OpenProvider } from '../provider.ts';
import type { ReplicaCache } from '../storage/replica-cache.ts';

/** What a person has for themselves, the same on all their devices: what the document holds, and over it what waits here. */
export interface PrivateDocument {
  /** What the device holds of it is here, or cannot be had. */
  ready: Promise<void>;
  /** Text begun in a conversation and not sent; "" for none. */
  draft: (conversationId: Uuid) => string;
  marks: (conversationId: Uuid) => ConversationMarks;
  /** Null: never chosen. */
  setting: (name: string) => Setting;
  /** False, and nothing happens, where a value may not be kept: a text that is too long. */
  setDraft: (conversationId: Uuid, text: string) => boolean;
  /** Changes some of the marks. */
  mark: (conversationId: Uuid, marks: ConversationMarks) => boolean;
  set: (name: string, value: Setting) => boolean;
  /** Moves what waits. */
  settle: () => void;
  /** The server can be reached again: what had ended is opened anew. */
  again: () => void;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

interface Deps {
  me: Pick<Me, 'id' | 'document'>;
  api: Pick<Api, 'me'>;
  openProvider: OpenProvider;
  cache: ReplicaCache;
  outbox: Outbox;
  moves: (entry: Entry) => boolean;
}

const numberOf = ({ document }: Pick<Me, 'document'>): number => parseDocumentId(document)?.n ?? 1;

/** Opens a person's private document, and whichever goes on from it. */
export function openPrivateDocument({ me, api, openProvider, cache, outbox, moves }: Deps): PrivateDocument {
  const listeners = new Set<() => void>();
  /** The one that shows. */
  let shown: PrivateReplica;
  /** The one that goes on from it, until it is here. */
  let coming: PrivateReplica | null = null;
  /** The last one that was found closed and did not say which goes on from it. */
  let full = 0;
  let isAsking = false;
  let isSettling = false;
  let closed = false;
  let loaded = (): void => {};
  const ready = new Promise<void>((resolve) => (loaded = resolve));

  const newest = (): PrivateReplica => coming ?? shown;
  const isClosed = (): boolean => newest().next() !== null || newest().n <= full;
  const isLost = (): boolean => newest().status().kind === 'ended' || (newest().next() === null && newest().n <= full);
  const mover = makePrivateMover({
    me: me.id,
    outbox,
    moves,
    open: () => (newest().status().kind === 'live' && !isClosed() ? newest() : null),
  });

  const open = (n: number): PrivateReplica =>
    openPrivateReplica({
      me: me.id,
      n,
      openProvider,
      cache,
      onChange: settle,
      onNeutralised(key, code) {
        mover.neutralised(n, key, code);
        if (code === 'closed' && n === newest().n) full = n;
        // It says so itself, as a rule.
        if (isLost()) void ask();
        settle();
      },
      onRefused: () => mover.refused(n),
    });

  /** Asks which document it is. */
  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      const n = numberOf(await api.me());
      full = Math.min(full, n - 1);
      if (!closed && (isLost() || n > newest().n)) goTo(n);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      isAsking = false;
    }
    settle();
  }

  function goTo(n: number): void {
    coming?.close();
    coming = null;
    coming = open(n);
  }

  /** Each names the one that goes on from it; the old one shows until that is here. */
  function follow(): void {
    for (;;) {
      if (coming?.hasCome()) {
        shown.close();
        shown = coming;
        coming = null;
      }
      const next = newest().next();
      if (next === null || next <= newest().n) break;
      goTo(next);
    }
    if (newest().isLoaded()) loaded();
  }

  function settle(): void {
    // What opens one runs this before the document is there.
    if (closed || isSettling) return;
    isSettling = true;
    follow();
    mover.move();
    isSettling = false;
    for (const listener of listeners) listener();
  }

  function valueOf(key: string): unknown {
    const held = shown.own(key)?.value;
    const entry = outbox.get(privateKey(key));
    // What failed is undone, but no text is lost for that.
    const isShown = entry?.kind === 'private' && (entry.state.kind === 'waiting' || isDraftKey(key));
    return isShown ? over(entry.value, held) : held;
  }

  function set(key: string, value: PrivateValue): boolean {
    if (!isPrivateEntry(key, value)) return false;
    outbox.set(me.id, key, value);
    return true;
  }

  isSettling = true;
  shown = open(numberOf(me));
  isSettling = false;
  const endWatch = outbox.subscribe(settle);
  settle();

  return {
    ready,
    settle,
    draft(conversationId) {
      const text = valueOf(draftKey(conversationId));
      return typeof text === 'string' ? text : '';
    },
    marks(conversationId) {
      const key = marksKey(conversationId);
      const marks = valueOf(key);
      return isPrivateEntry(key, marks) ? (marks as ConversationMarks) : {};
    },
    setting(name) {
      const key = settingKey(name);
      const value = valueOf(key);
      return isPrivateEntry(key, value) ? (value as Setting) : null;
    },
    setDraft: (conversationId, text) => set(draftKey(conversationId), text),
    mark: (conversationId, marks) => set(marksKey(conversationId), marks),
    set: (name, value) => set(settingKey(name), value),
    again() {
      if (isLost()) void ask();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      endWatch();
      listeners.clear();
      coming?.close();
      shown.close();
    },
  };
}
