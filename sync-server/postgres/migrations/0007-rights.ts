/**
 * Rights between people. `members.asked`: somebody whom they do not know asked them in, and they have not accepted; `visible_from`: what
 * came up to this seq is not theirs to read; `hidden_seq`: off their list until a message comes after it. `blocks` is looked at from both
 * sides. The list also changes by what the new columns say.
 */
export const rights = {
  name: '0007-rights',
  up: `
alter table conversations add column history text not null default 'all' check (history in ('all', 'joined'));
alter table members
  add column visible_from bigint not null default 0,
  add column hidden_seq bigint,
  add column asked boolean not null default false,
  add column asked_by uuid,
  add column asked_at timestamptz;
create index members_asked_by on members (asked_by, asked_at) where asked;

create table blocks (
  blocker_id uuid not null,
  blocked_id uuid not null,
  at timestamptz not null default now(),
  primary key (blocker_id, blocked_id),
  check (blocker_id <> blocked_id)
);
create index blocks_by_blocked on blocks (blocked_id, blocker_id);

drop trigger members_changed on members;
create trigger members_changed before update on members for each row
  when ((new.role, new.since, new.read_seq, new.left_at, new.hidden_seq, new.asked)
    is distinct from (old.role, old.since, old.read_seq, old.left_at, old.hidden_seq, old.asked))
  execute function mark_member_changed();
`,
};
