-- Totals with their roll-ups: what most lists ask for is one row, or one for each day, not one for each combination.
-- Where a column does not matter, a row says '*', -1 or the nil UUID.

drop table activity_counts, overdue_counts;

create table activity_totals (
    organization_id text not null,
    type text not null,
    related_type text not null,
    assignee_key uuid not null,
    status text not null,
    priority smallint not null,
    n bigint not null,
    primary key (organization_id, type, related_type, assignee_key, status, priority)
) with (fillfactor = 50);
comment on table activity_totals is 'How many activities of activity_list that are not deleted have these values; moved with its rows';

create table overdue_totals (
    organization_id text not null,
    assignee_key uuid not null,
    priority smallint not null,
    due_on date not null,
    n bigint not null,
    primary key (organization_id, assignee_key, priority, due_on)
) with (fillfactor = 50);
comment on table overdue_totals is 'How many rows of overdue are due on a day (UTC); moved with its rows';

do $$
declare t text;
begin
    foreach t in array array['activity_totals', 'overdue_totals'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy own_organization on %I using (organization_id = current_setting(''activities.organization_id'', true))', t);
        execute format('create policy every_organization on %I to activities_projector using (true) with check (true)', t);
        execute format('grant select on %I to activities_reader', t);
        execute format('grant select, insert, update, delete on %I to activities_projector', t);
    end loop;
end $$;

-- An owner who is no superuser sees no row of a table under forced row-level security; the projector sees them all.
set local role activities_projector;
insert into activity_totals
select organization_id, coalesce(type, '*'), coalesce(related_type, '*'),
       coalesce(assignee_key, '00000000-0000-0000-0000-000000000000'), status, priority, count(*)
  from activity_list
 where deleted_at is null
 group by organization_id, status, priority, grouping sets ((type, related_type, assignee_key), (assignee_key), ());

insert into overdue_totals
select organization_id, coalesce(assignee_key, '00000000-0000-0000-0000-000000000000'), coalesce(priority, -1),
       due_on, count(*)
  from (select organization_id, assignee_key, priority, (due_at at time zone 'UTC')::date as due_on from overdue) o
 group by organization_id, due_on, cube (assignee_key, priority);
reset role;

-- For workers of the release before, until they are gone. Its projector cannot write here, and leaves it to this one's.
create view activity_counts with (security_invoker = true) as
select organization_id, status, priority, type, related_type, assignee_key, n from activity_totals where type <> '*';
comment on view activity_counts is 'activity_totals without its roll-ups';
create view overdue_counts with (security_invoker = true) as
select organization_id, due_on, priority, assignee_key, n
  from overdue_totals where priority <> -1 and assignee_key <> '00000000-0000-0000-0000-000000000000';
comment on view overdue_counts is 'overdue_totals without its roll-ups';
grant select on activity_counts, overdue_counts to activities_reader;
