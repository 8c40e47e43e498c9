/**
 * People, their sign-ins and the keys of access tokens. Handles and `name_key` (the display name as it is searched for) compare by
 * bytes, so that a search for a prefix is a range of the index in every locale.
 */
export const accounts = {
  name: '0002-accounts',
  up: `
create table users (
  id uuid primary key,
  handle text collate "C" not null unique,
  display_name text not null,
  name_key text collate "C" not null,
  bio text not null default '',
  password_hash text not null,
  created_at timestamptz not null
);
create index users_by_name on users (name_key);

-- One sign-in of one device: a family of refresh tokens, of which only hashes are kept.
create table sign_ins (
  sid uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  token_hash bytea not null,
  previous_hash bytea,
  successor_key bytea not null,
  rotated_at timestamptz not null,
  expires_at timestamptz not null
);
create index sign_ins_by_user on sign_ins (user_id);

create table signing_keys (
  kid text primary key,
  jwk text not null,
  created_at timestamptz not null default now()
);
`,
};
