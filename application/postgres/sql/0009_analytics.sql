-- What analysts read, and how they are confined. An analyst logs in herself and may set any variable, so for her an
-- organization is not what a variable says: it is what her login was granted, and no policy of hers asks anything else.

create table activity_changes (
    organization_id text not null,
    position bigint not null,
    activity_id uuid not null,
    version bigint not null,
    change text not null,
    recorded_at timestamptz not null,
    happened_at timestamptz not null,
    type text not null,
    status text not null,
    assigned_user_id text not null,
    due_at timestamptz,
    overdue_after timestamptz,
    was_type text,
    was_status text,
    was_assigned_user_id text,
    was_due_at timestamptz,
    was_overdue_after timestamptz,
    planned_minutes int,
    actual_minutes int,
    billable_amount numeric(12, 2),
    currency text,
    primary key (organization_id, position)
);
comment on table activity_changes is 'One row a fact of an activity: what became of it, and what it was where that differs. No row is ever changed by a later fact';
alter table activity_changes enable row level security, force row level security;
create policy own_organization on activity_changes
    using (organization_id = current_setting('activities.organization_id', true));
create policy every_organization on activity_changes to activities_projector using (true) with check (true);
grant select on activity_changes to activities_reader;
grant select, insert, update, delete on activity_changes to activities_projector;

create table analysts (
    role_name text primary key,
    organization_id text not null,
    name text not null,
    created_at timestamptz not null default now()
);
comment on table analysts is 'reference';
comment on column analysts.role_name is 'The login. Roles belong to the whole server, so it leads, not the organization';
create index on analysts (organization_id, created_at);
alter table analysts enable row level security, force row level security;
create policy own_organization on analysts
    using (organization_id = current_setting('activities.organization_id', true));
create policy the_one_logged_in on analysts for select
    using (role_name = session_user::text);

create function organization_of_analyst() returns text
    language plpgsql stable security definer set search_path = activities, pg_temp as $$
declare
    v_timeout interval := current_setting('statement_timeout')::interval;
begin
    if v_timeout not between interval '1 ms' and interval '30 s' then
        raise exception 'an analyst''s statement takes 30 seconds at most, not %', current_setting('statement_timeout')
            using errcode = 'insufficient_privilege', hint = 'set statement_timeout = ''30s''';
    end if;
    if current_setting('transaction_read_only') <> 'on' then
        raise exception 'an analyst''s transactions are read only'
            using errcode = 'insufficient_privilege', hint = 'set default_transaction_read_only = on';
    end if;
    return (select a.organization_id from analysts a where a.role_name = session_user::text);
end $$;
comment on function organization_of_analyst is 'Whose analyst is logged in, whatever role or variable was set since; null for everybody else. Refuses to answer without the bounds an analyst''s login comes with';
revoke all on function organization_of_analyst from public;
grant execute on function organization_of_analyst to activities_analyst;

do $$
declare t text;
begin
    foreach t in array array['heads', 'events', 'cursors', 'activity_list', 'overdue', 'follow_ups', 'directory', 'activity_changes'] loop
        execute format('create policy analysts_read on %I for select to activities_analyst using (organization_id = (select organization_of_analyst()))', t);
        -- restrictive: own_organization, which believes a variable, is for everybody
        execute format('create policy analysts_are_confined on %I as restrictive to activities_analyst using (organization_id = (select organization_of_analyst()))', t);
    end loop;
end $$;
grant select on heads, cursors, activity_list, overdue, follow_ups, directory, activity_changes to activities_analyst;
grant select (organization_id, position, recorded_at) on events to activities_analyst;
-- No usage of this schema: analysts reach its tables through the views of the schema analytics alone.
