-- An erasure that was cut off goes on by itself: what it looks for is kept until its end, and it is soon found.

alter table data_keys add column named bytea;
comment on column data_keys.named is 'While an outsider is being erased, the address that is looked for: AES-256-GCM under the master key; null otherwise';

create index data_keys_under_way on data_keys (organization_id, closed_at)
    where closed_at is not null and destroyed_at is null;

create function close_data_key(
    p_organization_id text, p_key_id uuid, p_subject uuid, p_erasure_id text, p_named bytea
) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into data_keys as k (organization_id, key_id, subject, erasure_id, closed_at, named)
        values (p_organization_id, p_key_id, p_subject, p_erasure_id, now(), p_named)
        on conflict (organization_id, subject) do update
            set erasure_id = excluded.erasure_id, closed_at = excluded.closed_at, named = excluded.named
          where k.closed_at is null;
end $$;
comment on function close_data_key(text, uuid, uuid, text, bytea) is 'From this transaction on nothing is sealed for the person; where there was no key, that there will be none';
comment on function close_data_key(text, uuid, uuid, text) is 'For workers of the release before, while they are still at work';

create or replace function destroy_data_key(p_organization_id text, p_erasure_id text, p_forget boolean) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    update data_keys
       set wrapped_key = null, named = null, destroyed_at = now(),
           subject = case when p_forget then null else subject end
     where organization_id = p_organization_id and erasure_id = p_erasure_id and destroyed_at is null;
end $$;

revoke all on function close_data_key(text, uuid, uuid, text, bytea) from public;
grant execute on function close_data_key(text, uuid, uuid, text, bytea) to activities_writer;
