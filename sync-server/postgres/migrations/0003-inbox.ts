/**
 * What changes a person's conversation list (I2): each conversation and each member carries the transaction that last changed what the
 * list shows. A trigger marks members, so that whoever moves a read position or takes somebody out need not think of it; those of
 * delivery are left out, because the list does not show them. Conversations are marked by the log, which knows what it writes.
 *
 * Neither column is indexed, so that updates stay on their page: a person's rows are found by `members_by_user`, or where they left by
 * `members_gone_by_user`, and then compared.
 */
export const inbox = {
  name: '0003-inbox',
  up: `
alter table conversations add column changed xid8 not null default pg_current_xact_id();
alter table members add column changed xid8 not null default pg_current_xact_id();
create index members_gone_by_user on members (user_id, conversation_id) where left_at is not null;

create function mark_member_changed() returns trigger language plpgsql as $$
begin
  new.changed := pg_current_xact_id();
  return new;
end $$;
create trigger members_changed before update on members for each row
  when ((new.role, new.since, new.read_seq, new.left_at) is distinct from (old.role, old.since, old.read_seq, old.left_at))
  execute function mark_member_changed();
`,
};
