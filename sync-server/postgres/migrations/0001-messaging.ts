/**
 * Conversations, their update logs and the snapshot of their messages. Every hot table is keyed by its conversation first, so that it
 * can be partitioned by it; none refers to users by a foreign key. Rows that each commit changes leave room on their page and change no
 * indexed column, so that their updates stay on that page.
 *
 * A person's conversation list is read from `members_by_user` and sorted by `conversations.last_at` (of its last message, at first of
 * its creation), id; unread counts and pages of history from `messages` by (conversation_id, seq).
 */
export const messaging = {
  name: '0001-messaging',
  up: `
create table conversations (
  id uuid primary key,
  kind text not null check (kind in ('direct', 'group', 'private')),
  title text,
  picture text,
  created_at timestamptz not null,
  seq bigint not null default 0,
  open integer not null default 1,
  members_version bigint not null default 1,
  last_at timestamptz not null
) with (fillfactor = 80);

create table members (
  conversation_id uuid not null,
  user_id uuid not null,
  role text not null check (role in ('owner', 'admin', 'member')),
  since bigint not null,
  read_seq bigint not null,
  read_at timestamptz,
  delivered_seq bigint not null,
  left_seq bigint,
  left_at timestamptz,
  primary key (conversation_id, user_id)
) with (fillfactor = 80);
create index members_by_user on members (user_id, conversation_id) where left_at is null;

create table documents (
  conversation_id uuid not null,
  n integer not null,
  position bigint not null,
  first_seq bigint not null,
  log_client bigint not null,
  log_clock bigint not null,
  messages integer not null,
  bytes bigint not null,
  clients integer not null,
  closed_at timestamptz,
  compact_asked_at timestamptz,
  primary key (conversation_id, n)
) with (fillfactor = 80);
create index documents_to_compact on documents (compact_asked_at) where compact_asked_at is not null;

create table updates (
  conversation_id uuid not null,
  n integer not null,
  position bigint not null,
  bytes bytea not null,
  primary key (conversation_id, n, position)
);

create table claims (
  conversation_id uuid not null,
  n integer not null,
  client bigint not null,
  user_id uuid not null,
  position bigint not null,
  primary key (conversation_id, n, client)
);

create table messages (
  conversation_id uuid not null,
  id text collate "C" not null check (length(id) = 22),
  seq bigint not null,
  n integer not null,
  sender_id uuid not null,
  body text,
  reply_to text collate "C",
  extras jsonb,
  accepted_at timestamptz not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  deleted_by uuid,
  primary key (conversation_id, id),
  unique (conversation_id, seq),
  check ((body is null) = (deleted_at is not null))
);

-- A text that an edit replaced; "at" is when that text was written.
create table message_edits (
  conversation_id uuid not null,
  message_id text collate "C" not null,
  version bigint generated always as identity,
  body text not null,
  at timestamptz not null,
  primary key (conversation_id, message_id, version)
);

create table reactions (
  conversation_id uuid not null,
  message_id text collate "C" not null,
  user_id uuid not null,
  emoji text[] not null,
  primary key (conversation_id, message_id, user_id)
);
`,
};
