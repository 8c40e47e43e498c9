import type { Queries } from './connect.ts';

/** Where the picture of a person `u` is served; null without one. */
export const avatarUrlColumn = (sql: Queries) => sql`'/api/avatars/' || u.id || '/' || u.avatar_hash || '.webp'`;
