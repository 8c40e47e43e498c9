/**
 * What signing in rests on besides passwords: accounts that belong to people of another platform (S6), keys that sign from a certain time
 * on (S5), how a sign-in's last refresh went (S2), and the devices that people have signed in from (S7).
 */
export const identity = {
  name: '0005-identity',
  up: `
create table foreign_accounts (
  issuer text collate "C" not null,
  subject text collate "C" not null,
  user_id uuid not null references users (id) on delete cascade,
  -- As the platform last said it: a name that the person changed here stays until it changes there.
  name text not null,
  primary key (issuer, subject)
);
create index foreign_accounts_by_user on foreign_accounts (user_id);

alter table signing_keys add column signs_from timestamptz;
update signing_keys set signs_from = created_at;
alter table signing_keys alter column signs_from set not null;

alter table sign_ins
  add column rotation integer not null default 0,
  add column is_received boolean not null default false,
  add column is_repeated boolean not null default false,
  add column repeats smallint not null default 0;

create table known_devices (
  user_id uuid not null references users (id) on delete cascade,
  hash bytea not null,
  seen_at timestamptz not null,
  primary key (user_id, hash)
);
`,
};
