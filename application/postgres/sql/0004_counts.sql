-- Totals are kept, not counted: what lists are filtered by most, and how many activities say so.

create table activity_counts (
    organization_id text not null,
    status text not null,
    priority smallint not null,
    type text not null,
    related_type text not null,
    assignee_key uuid not null,
    n bigint not null,
    primary key (organization_id, status, priority, type, related_type, assignee_key)
) with (fillfactor = 50);
comment on table activity_counts is 'How many activities of activity_list that are not deleted have these values; moved with its rows';

create table overdue_counts (
    organization_id text not null,
    due_on date not null,
    priority smallint not null,
    assignee_key uuid not null,
    n bigint not null,
    primary key (organization_id, due_on, priority, assignee_key)
) with (fillfactor = 50);
comment on table overdue_counts is 'How many rows of overdue are due on a day (UTC); moved with its rows';

insert into activity_counts
select organization_id, status, priority, type, related_type, assignee_key, count(*)
  from activity_list where deleted_at is null group by 1, 2, 3, 4, 5, 6;

insert into overdue_counts
select organization_id, (due_at at time zone 'UTC')::date, priority, assignee_key, count(*)
  from overdue group by 1, 2, 3, 4;

create index on activity_list (organization_id, due_at, activity_id)
    where deleted_at is null and status in ('pending', 'in_progress', 'deferred', 'waiting');

do $$
declare t text;
begin
    foreach t in array array['activity_counts', 'overdue_counts'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy own_organization on %I using (organization_id = current_setting(''activities.organization_id'', true))', t);
        execute format('create policy every_organization on %I to activities_projector using (true) with check (true)', t);
        execute format('grant select on %I to activities_reader', t);
        execute format('grant select, insert, update, delete on %I to activities_projector', t);
    end loop;
end $$;
