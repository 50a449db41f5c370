-- The read tables. Each is a fold of the log and can be built again from it at any time.

create table cursors (
    organization_id text not null,
    read_model text not null,
    position bigint not null,
    epoch bigint not null,
    moved_at timestamptz not null default now(),
    primary key (organization_id, read_model)
) with (fillfactor = 50);
comment on table cursors is 'How far each read model has come in each organization''s log; epoch fences an older projector';

create table leases (
    name text primary key,
    holder text not null,
    backend int not null,
    epoch bigint not null,
    expires_at timestamptz not null
);
comment on table leases is 'local';

create table parked (
    organization_id text not null,
    originator_id uuid not null,
    position bigint not null,
    topic text not null,
    reason text not null,
    parked_at timestamptz not null default now(),
    primary key (organization_id, originator_id)
);
comment on table parked is 'Streams with an event that could not be projected: they wait, in order, for a retry';

create table activity_list (
    organization_id text not null,
    activity_id uuid not null,
    number bigint not null,
    version bigint not null,
    type text not null,
    status text not null,
    priority smallint not null,
    subject text not null,
    related_type text not null,
    related_id text not null,
    related_key uuid not null,
    contact_id text,
    contact_key uuid,
    assigned_user_id text not null,
    assignee_key uuid not null,
    created_by text not null,
    creator_key uuid not null,
    due_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    tags text[] not null,
    rescheduled_count int not null,
    planned_duration_minutes int,
    actual_duration_minutes int,
    is_billable boolean not null,
    billable_rate numeric(12, 2),
    billable_amount numeric(12, 2),
    currency text,
    words text not null,
    document text not null,
    primary key (organization_id, activity_id),
    unique (organization_id, number)
);
comment on table activity_list is 'One row an activity: what lists filter and sort by, and the whole of it as JSON text';
create index on activity_list (organization_id, due_at, activity_id) where deleted_at is null;
create index on activity_list (organization_id, due_at desc nulls last, activity_id desc) where deleted_at is null;
create index on activity_list (organization_id, created_at, activity_id) where deleted_at is null;
create index on activity_list (organization_id, priority, activity_id) where deleted_at is null;
create index on activity_list (organization_id, related_key, due_at) where deleted_at is null;
create index on activity_list (organization_id, assignee_key, due_at) where deleted_at is null;
create index on activity_list (organization_id, contact_key) where deleted_at is null and contact_key is not null;

create table activity_search (
    organization_id text not null,
    activity_id uuid not null,
    words tsvector not null,
    primary key (organization_id, activity_id)
);
create index on activity_search using gin (words);
comment on table activity_search is 'The words of each activity: subject weighs A, description D';

create table search_words (
    organization_id text not null,
    word text collate "C" not null,
    primary key (organization_id, word)
);
create index on search_words using gin (word public.gin_trgm_ops);
comment on table search_words is 'Every word an organization''s activities use: what partial and misspelt words are looked up in';

create table overdue (
    organization_id text not null,
    activity_id uuid not null,
    due_at timestamptz not null,
    priority smallint not null,
    assignee_key uuid not null,
    related_key uuid not null,
    primary key (organization_id, activity_id)
);
create index on overdue (organization_id, due_at, activity_id);
create index on overdue (organization_id, assignee_key, due_at, activity_id);
comment on table overdue is 'One narrow row an activity that is, or will be, overdue once its due date has passed';

create table follow_ups (
    organization_id text not null,
    activity_id uuid not null,
    number bigint not null,
    related_key uuid not null,
    follow_up_of uuid,
    opened bigint,
    due_on date,
    primary key (organization_id, activity_id)
);
create index on follow_ups (organization_id, related_key, number);
create index on follow_ups (organization_id, follow_up_of) where follow_up_of is not null;
create index on follow_ups (organization_id, due_on, activity_id) where opened is not null;
comment on table follow_ups is 'Obligations to follow up (opened is not null), and what may have satisfied them';

create table directory (
    organization_id text not null,
    record_key uuid not null,
    kind text not null,
    id text not null,
    name text not null,
    email text,
    account_key uuid,
    value numeric(12, 2),
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    summary text not null,
    details text not null,
    document text not null,
    primary key (organization_id, record_key)
);
create index on directory (organization_id, kind, created_at, record_key);
create index on directory (organization_id, account_key) where account_key is not null;
comment on table directory is 'One row a record: its small and rich summaries as embedded in activities, and the whole of it as JSON text';

do $$
declare t text;
begin
    foreach t in array array['cursors', 'parked', 'activity_list', 'activity_search', 'search_words', 'overdue', 'follow_ups', 'directory'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy own_organization on %I using (organization_id = current_setting(''activities.organization_id'', true))', t);
        execute format('create policy every_organization on %I to activities_projector using (true) with check (true)', t);
        execute format('grant select on %I to activities_reader', t);
        execute format('grant select, insert, update, delete on %I to activities_projector', t);
    end loop;
end $$;
grant select, insert, update on leases to activities_projector;
grant select on leases to activities_reader;

create function begin_reading(
    p_organization_id text, p_read_models text[], out head bigint, out reached bigint
) language plpgsql set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    select h.position into head from heads h where h.organization_id = p_organization_id;
    select min(coalesce(c.position, 0)) into reached
      from unnest(p_read_models) as m(name)
      left join cursors c on c.organization_id = p_organization_id and c.read_model = m.name;
end $$;
comment on function begin_reading is 'Confine this transaction to one organisation: where its log ends, and how far these read models have come';
revoke all on function begin_reading from public;
grant execute on function begin_reading to activities_reader;

create function confined_to(p_organization_id text) returns void
    language plpgsql stable set search_path = activities, pg_temp as $$
begin
    if p_organization_id is distinct from current_setting('activities.organization_id', true) then
        raise exception 'this transaction is not of that organization' using errcode = 'insufficient_privilege';
    end if;
end $$;
comment on function confined_to is 'Refuse to go on for another organization than the transaction is confined to';

create function search_expression(p_organization_id text, p_terms text[]) returns tsquery
    language plpgsql stable security definer set search_path = activities, public, pg_temp as $$
declare
    v_term text;
    v_words text[];
    v_expression text;
begin
    perform confined_to(p_organization_id);
    foreach v_term in array p_terms loop
        select array_agg(word) into v_words from (
            (select word from search_words
              where organization_id = p_organization_id and word >= v_term and word like v_term || '%'
              order by word limit 64)
            union
            (select word from search_words
              where organization_id = p_organization_id and length(v_term) >= 3 and word like '%' || v_term || '%'
              limit 64)
        ) found;
        if v_words is null then
            select array_agg(word) into v_words from (
                select word from search_words
                 where organization_id = p_organization_id and word % v_term
                 order by similarity(word, v_term) desc, word limit 8
            ) alike;
        end if;
        if v_words is null then
            return null;
        end if;
        v_expression := concat_ws(' & ', v_expression,
            '(' || (select string_agg(quote_literal(word), ' | ') from unnest(v_words) as word) || ')');
    end loop;
    return v_expression::tsquery;
end $$;
comment on function search_expression is 'Terms as a tsquery over the words the organization uses: whole, in part, else alike; null when one is unknown';
revoke all on function search_expression from public;
grant execute on function search_expression to activities_reader;

create function search_matches(p_organization_id text, p_expression tsquery, p_exact tsquery, p_most int)
    returns table (activity_id uuid, rank real)
    language plpgsql stable security definer set search_path = activities, pg_temp
    set plan_cache_mode = force_custom_plan as $$
begin
    perform confined_to(p_organization_id);
    return query
        select s.activity_id, ts_rank(s.words, p_expression) + ts_rank(s.words, p_exact)
          from (select m.activity_id, m.words from activity_search m
                 where m.organization_id = p_organization_id and m.words @@ p_expression
                 order by m.activity_id desc limit p_most) s;
end $$;
comment on function search_matches is 'The newest p_most activities (null: all) that match, with their rank. Planned knowing the words: how common they are decides how best to look for them';

create function search_count(p_organization_id text, p_expression tsquery) returns bigint
    language plpgsql stable security definer set search_path = activities, pg_temp
    set plan_cache_mode = force_custom_plan as $$
begin
    perform confined_to(p_organization_id);
    return (select count(*) from activity_search m
             where m.organization_id = p_organization_id and m.words @@ p_expression);
end $$;
comment on function search_count is 'How many activities match';
revoke all on function search_matches, search_count from public;
grant execute on function search_matches, search_count to activities_reader;

-- Row-level security hides an index behind every operator that is not known to leak nothing, and those of search are
-- not. So search looks through its indexes in functions of the tables' owner, which check for themselves whose
-- transaction it is; the owner alone is free of the policies of these two tables.
alter table activity_search no force row level security;
alter table search_words no force row level security;
