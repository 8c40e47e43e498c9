import type * as Y from 'yjs';
import type { Uuid } from './ids.ts';
import { LIMITS } from './limits.ts';

/**
 * A root document (D2): who talks here, and which segments are the newest. Written by the server alone, in the same transaction as
 * the tables that are its truth.
 *
 *   Y.Map meta      { kind, title, picture, createdAt, open: n, history? }
 *   Y.Map members   userId → { role, since: seq, from?: seq }
 *   Y.Map segments  "n" → first seq, of the newest 16
 */
export type ConversationKind = 'direct' | 'group';
export type Role = 'owner' | 'admin' | 'member';
/** What of a group's messages people read who join later: all of them, or those from then on. */
export type GroupHistory = 'all' | 'joined';

export interface RootMember {
  role: Role;
  /** The last `seq` before this person joined. */
  since: number;
  /** What came up to this `seq` is not theirs to read: segments that begin at or before it do not open for them. */
  from?: number;
}

export interface Root {
  kind: ConversationKind;
  title: string | null;
  history: GroupHistory;
  picture: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Number of the segment that takes new messages. */
  open: number;
  members: ReadonlyMap<Uuid, RootMember>;
  /** Number → first seq, ascending. */
  segments: ReadonlyMap<number, number>;
}

const isRole = (value: unknown): value is Role => value === 'owner' || value === 'admin' || value === 'member';
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Reads a root; null while the document is empty. */
export function readRoot(doc: Y.Doc): Root | null {
  const meta = doc.getMap('meta');
  const kind = meta.get('kind');
  const open = meta.get('open');
  const createdAt = meta.get('createdAt');
  if ((kind !== 'direct' && kind !== 'group') || typeof open !== 'number' || typeof createdAt !== 'number') return null;
  const members = new Map<Uuid, RootMember>();
  doc.getMap('members').forEach((value, userId) => {
    const { role, since, from } = value as Partial<RootMember>;
    if (isRole(role) && typeof since === 'number') members.set(userId, { role, since, ...(typeof from === 'number' ? { from } : {}) });
  });
  const segments: [number, number][] = [];
  doc.getMap('segments').forEach((firstSeq, n) => {
    if (typeof firstSeq === 'number') segments.push([Number(n), firstSeq]);
  });
  segments.sort((a, b) => a[0] - b[0]);
  return {
    kind,
    open,
    createdAt,
    title: text(meta.get('title')),
    history: meta.get('history') === 'joined' ? 'joined' : 'all',
    picture: text(meta.get('picture')),
    members,
    segments: new Map(segments),
  };
}

/** Writes a new conversation's root, with segment 1 open from seq 1. */
export function createRoot(
  doc: Y.Doc,
  root: Pick<Root, 'kind' | 'title' | 'createdAt' | 'members'> & { history?: GroupHistory | undefined },
): void {
  const meta = doc.getMap('meta');
  meta.set('kind', root.kind);
  if (root.title !== null) meta.set('title', root.title);
  if (root.history === 'joined') meta.set('history', root.history);
  meta.set('createdAt', root.createdAt);
  for (const [userId, member] of root.members) setMember(doc, userId, member);
  openSegment(doc, 1, 1);
}

/** Names the segment that takes new messages from `firstSeq` on; the oldest beyond the newest 16 leaves the root. */
export function openSegment(doc: Y.Doc, n: number, firstSeq: number): void {
  doc.getMap('meta').set('open', n);
  const segments = doc.getMap('segments');
  segments.set(String(n), firstSeq);
  segments.delete(String(n - LIMITS.rootSegments));
}

/** Changes what a group is called, and what newcomers may read. */
export function setAbout(doc: Y.Doc, { title, history }: { title?: string | undefined; history?: GroupHistory | undefined }): void {
  const meta = doc.getMap('meta');
  if (title !== undefined) meta.set('title', title);
  if (history !== undefined) meta.set('history', history);
}

export const setMember = (doc: Y.Doc, userId: Uuid, member: RootMember): void => void doc.getMap('members').set(userId, { ...member });
export const removeMember = (doc: Y.Doc, userId: Uuid): void => doc.getMap('members').delete(userId);
