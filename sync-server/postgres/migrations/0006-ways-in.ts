/** What people do with their account: devices by name, reset links, passkeys, invites. Of every token only the hash is kept. */
export const waysIn = {
  name: '0006-ways-in',
  up: `
alter table users alter column password_hash drop not null;

alter table sign_ins
  add column device text not null default '',
  add column created_at timestamptz;
update sign_ins set created_at = rotated_at;
alter table sign_ins alter column created_at set not null;

create table password_resets (
  token_hash bytea primary key,
  user_id uuid not null references users (id) on delete cascade,
  expires_at timestamptz not null
);
create index password_resets_by_user on password_resets (user_id);

create table passkeys (
  id text collate "C" primary key,
  user_id uuid not null references users (id) on delete cascade,
  name text not null,
  public_key bytea not null,
  counter int8 not null,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_by_user on passkeys (user_id);

-- For a moment each; without a person: for signing in.
create table passkey_challenges (
  hash bytea primary key,
  user_id uuid references users (id) on delete cascade,
  expires_at timestamptz not null
);
create index passkey_challenges_by_end on passkey_challenges (expires_at);
create index passkey_challenges_by_user on passkey_challenges (user_id);

-- Without a person: the operator's.
create table invites (
  id uuid primary key,
  token_hash bytea not null unique,
  created_by uuid references users (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  uses int4 not null,
  uses_left int4 not null
);
create index invites_by_user on invites (created_by);
`,
};
