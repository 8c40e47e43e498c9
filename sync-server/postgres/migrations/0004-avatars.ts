/** Pictures of people, as they are served. `users.avatar_hash` is part of the picture's address; null: none. */
export const avatars = {
  name: '0004-avatars',
  up: `
alter table users add column avatar_hash text collate "C";
create table avatars (
  user_id uuid primary key references users (id) on delete cascade,
  hash text collate "C" not null,
  bytes bytea not null
);
alter table avatars alter column bytes set storage external;
`,
};
