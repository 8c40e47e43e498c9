/**
 * What the operator is asked to look at, and people who go. A report holds its own copy of the messages: it survives their deletion.
 * `departures` are deleted accounts whose memberships and messages are still to be seen to; a handle stays its owner's for good.
 */
export const reports = {
  name: '0008-reports',
  up: `
create table reports (
  id uuid primary key,
  reporter_id uuid not null,
  reported_id uuid not null,
  conversation_id uuid not null,
  message_id text collate "C" not null,
  reason text not null,
  at timestamptz not null,
  messages jsonb not null,
  closed_at timestamptz,
  unique (reporter_id, conversation_id, message_id)
);
create index reports_by_time on reports (at);

alter table users add column deleted_at timestamptz;
create table departures (
  user_id uuid primary key,
  removes boolean not null,
  at timestamptz not null default now()
);
`,
};
