import type { Queries } from './connect.ts';

/** What somebody of another platform, `issuer` and `subject`, is known by once their account is deleted. */
export const foreignKey = (sql: Queries) => sql`sha256(convert_to(issuer || e'\\n' || subject, 'UTF8'))`;
