import type { Permissions } from '../ports.ts';

/**
 * What members may write (A6, G1). A moderator's removal is for moderators. In a direct conversation of which either has blocked the other,
 * or one is gone, nothing new is written; what was there may still be edited and deleted, which is not asked here.
 */
export const membersMay: Permissions = {
  judge({ conversation, members, writer, kind }) {
    if (kind === 'removal') return (members.get(writer)?.role ?? 'member') === 'member' ? 'role' : null;
    if (conversation.kind !== 'direct') return null;
    for (const { blocks, gone } of members.values()) if (blocks || gone) return 'blocked';
    return null;
  },
};
