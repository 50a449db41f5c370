-- A late total over years adds up whole months and the days of the month that has begun, not every day there was.
-- It is kept of an assignee, of a priority and of all. What is late of one assignee with one priority is counted: to
-- keep that, too, took each write longer than such a count takes those who ask.

create table due_totals (
    organization_id text not null,
    assignee_key uuid not null,
    priority smallint not null,
    of_month boolean not null,
    due_on date not null,
    n bigint not null,
    primary key (organization_id, assignee_key, priority, of_month, due_on)
) with (fillfactor = 50);
comment on table due_totals is 'How many rows of overdue are due on a day (UTC), or in the month that begins on it: of an assignee, of a priority, of all; moved with its rows';

alter table due_totals enable row level security, force row level security;
create policy own_organization on due_totals using (organization_id = current_setting('activities.organization_id', true));
create policy every_organization on due_totals to activities_projector using (true) with check (true);
grant select on due_totals to activities_reader;
grant select, insert, update, delete on due_totals to activities_projector;

-- The projector of the release before cannot write without its table, and leaves it to this one's.
lock table overdue_totals in access exclusive mode;
set local role activities_projector;
insert into due_totals
select organization_id, assignee_key, priority, false, due_on, n
  from overdue_totals
 where priority = -1 or assignee_key = '00000000-0000-0000-0000-000000000000'
 union all
select organization_id, assignee_key, priority, true, date_trunc('month', due_on)::date, sum(n)
  from overdue_totals
 where priority = -1 or assignee_key = '00000000-0000-0000-0000-000000000000'
 group by organization_id, assignee_key, priority, date_trunc('month', due_on)::date;
reset role;

drop view overdue_counts;
drop table overdue_totals;

-- For workers of the release before, until they are gone.
create view overdue_totals with (security_invoker = true) as
select organization_id, assignee_key, priority, due_on, n
  from due_totals
 where not of_month
 union all
select organization_id, assignee_key, priority, (due_at at time zone 'UTC')::date, count(*)
  from overdue
 group by organization_id, assignee_key, priority, (due_at at time zone 'UTC')::date;
comment on view overdue_totals is 'due_totals without its months, and what is late of an assignee and a priority';
grant select on overdue_totals to activities_reader;
