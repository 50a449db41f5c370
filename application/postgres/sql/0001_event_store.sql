-- The log. Rules every table keeps (a catalogue test reads them back): organization_id leads every key, no
-- sequences, no triggers, no order but `position`; tables without organization_id say why in their comment.

create table heads (
    organization_id text primary key,
    position bigint not null default 0,
    recorded_at timestamptz
) with (fillfactor = 50);
comment on table heads is 'Where each organization''s log ends. The row lock of its head makes an organization''s positions dense and in commit order';

create table events (
    organization_id text not null,
    originator_id uuid not null,
    originator_version bigint not null,
    topic text not null,
    state bytea not null,
    metadata jsonb not null default '{}',
    recorded_at timestamptz not null,
    position bigint not null,
    primary key (organization_id, originator_id, originator_version),
    unique (organization_id, position)
);
comment on table events is 'Every fact ever recorded. Only append_events writes here; nobody updates or deletes';

create table idempotency (
    organization_id text not null,
    user_id text not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    kept_at timestamptz not null,
    primary key (organization_id, user_id, key)
);
create index on idempotency (organization_id, kept_at);
comment on table idempotency is 'Answers kept for retries, stored in the transaction of the events they speak of';

create function open_log(p_organization_id text, out last_position bigint, out last_recorded_at timestamptz)
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    select h.position, h.recorded_at into last_position, last_recorded_at
      from heads h where h.organization_id = p_organization_id for update;
    if not found then
        insert into heads (organization_id) values (p_organization_id) on conflict do nothing;
        select h.position, h.recorded_at into last_position, last_recorded_at
          from heads h where h.organization_id = p_organization_id for update;
    end if;
end $$;
comment on function open_log is 'Take the organization''s log for this transaction: where it ends, locked until commit';

create function append_events(
    p_organization_id text, p_recorded_at timestamptz,
    p_originator_ids uuid[], p_originator_versions bigint[], p_topics text[], p_states bytea[], p_metadata jsonb[]
) returns bigint
    language plpgsql security definer set search_path = activities, pg_temp as $$
declare
    v_last bigint;
    v_count int := cardinality(p_originator_ids);
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into heads as h (organization_id, position, recorded_at)
        values (p_organization_id, v_count, p_recorded_at)
        on conflict (organization_id) do update
            set position = h.position + v_count, recorded_at = greatest(h.recorded_at, excluded.recorded_at)
        returning position into v_last;
    insert into events (organization_id, originator_id, originator_version, topic, state, metadata, recorded_at, position)
        select p_organization_id, e.originator_id, e.version, e.topic, e.state, e.metadata, p_recorded_at, v_last - v_count + e.n
          from unnest(p_originator_ids, p_originator_versions, p_topics, p_states, p_metadata)
               with ordinality as e(originator_id, version, topic, state, metadata, n);
    perform pg_notify('activities_recorded', p_organization_id);
    return v_last;
end $$;
comment on function append_events is 'Append in order; the position of the last event. Notifies followers, as a hint only';

create function keep_answers(
    p_organization_id text, p_user_ids text[], p_keys text[], p_fingerprints bytea[], p_statuses smallint[],
    p_headers jsonb[], p_bodies bytea[]
) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into idempotency as i (organization_id, user_id, key, fingerprint, status, headers, body, kept_at)
        select p_organization_id, a.user_id, a.key, a.fingerprint, a.status, a.headers, a.body, now()
          from unnest(p_user_ids, p_keys, p_fingerprints, p_statuses, p_headers, p_bodies)
               as a(user_id, key, fingerprint, status, headers, body)
        on conflict (organization_id, user_id, key) do update
            set fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
                body = excluded.body, kept_at = excluded.kept_at
          where i.kept_at < now() - interval '24 hours';
    delete from idempotency i
     where i.organization_id = p_organization_id
       and (i.user_id, i.key) in (
            select e.user_id, e.key from idempotency e
             where e.organization_id = p_organization_id and e.kept_at < now() - interval '24 hours'
             order by e.kept_at limit 10 + 2 * cardinality(p_keys));
end $$;
comment on function keep_answers is 'Keep answers for a day, in the transaction of the events they speak of; sweeps more expired ones than it keeps, so they never pile up';

alter table heads enable row level security, force row level security;
alter table events enable row level security, force row level security;
alter table idempotency enable row level security, force row level security;

create policy own_organization on heads
    using (organization_id = current_setting('activities.organization_id', true));
create policy own_organization on events
    using (organization_id = current_setting('activities.organization_id', true));
create policy own_organization on idempotency
    using (organization_id = current_setting('activities.organization_id', true));
create policy every_organization on heads for select to activities_projector using (true);
create policy every_organization on events for select to activities_projector using (true);

revoke all on function open_log, append_events, keep_answers from public;
grant usage on schema activities to activities_writer, activities_projector, activities_reader;
grant execute on function open_log, append_events, keep_answers to activities_writer;
grant select on heads, events, idempotency to activities_writer;
grant select on heads, events to activities_projector, activities_reader;
