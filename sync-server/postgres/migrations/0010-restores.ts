/**
 * Restored backups. `restores`: each time that the database went back to one, until every conversation is begun anew (`reached`: how far
 * that has come). `home`: which database of which cluster this is, as a server last saw it: a copy finds itself elsewhere.
 */
export const restores = {
  name: '0010-restores',
  up: `
create table restores (
  id uuid primary key,
  at timestamptz not null default now(),
  -- When the newest conversation of the backup last changed.
  back_to timestamptz,
  reached uuid,
  done_at timestamptz
);
create table home (place text not null);
`,
};
