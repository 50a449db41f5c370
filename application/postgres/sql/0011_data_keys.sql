-- Personal data are sealed in the log, each person's under a key of their own: to destroy the key is to erase them.

create table master_key (
    one boolean primary key default true check (one),
    fingerprint text not null
);
comment on table master_key is 'reference';
comment on column master_key.fingerprint is 'What the master key that wraps the data keys is recognised by: another one is refused';

create table data_keys (
    organization_id text not null,
    key_id uuid not null,
    subject uuid,
    wrapped_key bytea,
    created_at timestamptz not null default now(),
    erasure_id text,
    closed_at timestamptz,
    destroyed_at timestamptz,
    primary key (organization_id, key_id),
    unique (organization_id, subject)
);
comment on table data_keys is 'The key each person''s data are sealed with, itself wrapped by the master key';
comment on column data_keys.subject is 'The person: the stream of the record, or a keyed hash of an outsider''s email address (null once destroyed)';
comment on column data_keys.wrapped_key is 'AES-256-GCM under the master key; null once destroyed';
comment on column data_keys.erasure_id is 'The erasure that closed it';
comment on column data_keys.closed_at is 'From then on nothing is sealed with it any more';

alter table data_keys enable row level security, force row level security;
create policy own_organization on data_keys
    using (organization_id = current_setting('activities.organization_id', true));
create policy every_organization on data_keys for select to activities_projector using (true);
grant select on cursors to activities_writer;
grant select on data_keys to activities_writer, activities_projector, activities_reader;

create function keep_data_keys(
    p_organization_id text, p_fingerprint text, p_key_ids uuid[], p_subjects uuid[], p_wrapped_keys bytea[]
) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into master_key (fingerprint) values (p_fingerprint) on conflict do nothing;
    if (select m.fingerprint from master_key m) <> p_fingerprint then
        raise exception 'the personal data here are sealed under another master key';
    end if;
    insert into data_keys (organization_id, key_id, subject, wrapped_key)
        select p_organization_id, k.key_id, k.subject, k.wrapped_key
          from unnest(p_key_ids, p_subjects, p_wrapped_keys) as k(key_id, subject, wrapped_key);
end $$;
comment on function keep_data_keys is 'Keep new keys, in the transaction of the facts they seal';

create function close_data_key(p_organization_id text, p_key_id uuid, p_subject uuid, p_erasure_id text) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into data_keys as k (organization_id, key_id, subject, erasure_id, closed_at)
        values (p_organization_id, p_key_id, p_subject, p_erasure_id, now())
        on conflict (organization_id, subject) do update
            set erasure_id = excluded.erasure_id, closed_at = excluded.closed_at
          where k.closed_at is null;
end $$;
comment on function close_data_key is 'From this transaction on nothing is sealed for the person; where there was no key, that there will be none';

create function destroy_data_key(p_organization_id text, p_erasure_id text, p_forget boolean) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    update data_keys set wrapped_key = null, destroyed_at = now(), subject = case when p_forget then null else subject end
     where organization_id = p_organization_id and erasure_id = p_erasure_id and destroyed_at is null;
end $$;
comment on function destroy_data_key is 'Destroy the key an erasure closed; p_forget forgets whose it was, too';

create function erase_answers(
    p_organization_id text, p_said text, p_ids text[], p_body bytea
) returns bigint
    language plpgsql security definer set search_path = activities, pg_temp as $$
declare
    v_erased bigint;
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    update idempotency i set headers = i.headers - 'ETag', body = p_body
      from (select a.user_id, a.key, convert_from(a.body, 'UTF8') as said
              from idempotency a where a.organization_id = p_organization_id and a.body <> p_body) a
     where i.organization_id = p_organization_id and i.user_id = a.user_id and i.key = a.key
       and (strpos(lower(a.said), lower(p_said)) > 0
            or substring(a.said from '"id":"([0-9A-Z]{26})"') = any(p_ids)
            or substring(a.said from '"uid":"([0-9A-Z]{26})"') = any(p_ids));
    get diagnostics v_erased = row_count;
    return v_erased;
end $$;
comment on function erase_answers is 'Of the answers kept for retries that mention p_said or are about these activities, keep that they were given, and nothing of what they said';

create function drop_previous_tables() returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
declare
    v_table text;
begin
    foreach v_table in array array['activity_list', 'activity_search', 'overdue', 'directory', 'follow_ups'] loop
        execute format('drop table if exists %I', v_table || '_previous');
    end loop;
end $$;
comment on function drop_previous_tables is 'Tables kept for a roll-back of a rebuild say what an erasure took away: they go';

revoke all on function keep_data_keys, close_data_key, destroy_data_key, erase_answers, drop_previous_tables from public;
grant execute on function keep_data_keys, close_data_key, destroy_data_key, erase_answers, drop_previous_tables
    to activities_writer;
