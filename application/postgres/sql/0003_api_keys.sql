-- API keys. A key is presented before anybody knows whose it is, so its id leads, not the organization: a transaction
-- sees the keys of its own organization, and the one key it presents. Written in the transaction of the facts.

create table api_keys (
    id text primary key,
    organization_id text not null,
    name text not null,
    scopes text[] not null,
    secret_hmac text not null,
    created_by text not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
) with (fillfactor = 80);
comment on table api_keys is 'reference';
comment on column api_keys.secret_hmac is 'HMAC-SHA256 of the secret under the server''s pepper, in hex. The secret itself is stored nowhere';
create index on api_keys (organization_id, created_at, id);

alter table api_keys enable row level security, force row level security;
create policy own_organization on api_keys
    using (organization_id = current_setting('activities.organization_id', true));
create policy the_one_presented on api_keys for select to activities_writer
    using (id = current_setting('activities.api_key_id', true));

create function keep_api_key(
    p_organization_id text, p_id text, p_name text, p_scopes text[], p_secret_hmac text, p_created_by text,
    p_created_at timestamptz, p_revoked_at timestamptz
) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    insert into api_keys as k (organization_id, id, name, scopes, secret_hmac, created_by, created_at, revoked_at)
        values (p_organization_id, p_id, p_name, p_scopes, p_secret_hmac, p_created_by, p_created_at, p_revoked_at)
        on conflict (id) do update set revoked_at = excluded.revoked_at
            where k.organization_id = excluded.organization_id;
end $$;
comment on function keep_api_key is 'Keep a key as its facts have made it, in the transaction of these facts';

create function touch_api_key(p_organization_id text, p_id text) returns void
    language plpgsql security definer set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.organization_id', p_organization_id, true);
    update api_keys set last_used_at = now()
     where organization_id = p_organization_id and id = p_id
       and (last_used_at is null or last_used_at < now() - interval '1 minute');
end $$;
comment on function touch_api_key is 'Remember that a key was used; at most once a minute, however many workers say so';

create function presented_api_key(p_id text)
    returns table (organization_id text, scopes text[], secret_hmac text, revoked boolean)
    language plpgsql set search_path = activities, pg_temp as $$
begin
    perform set_config('activities.api_key_id', p_id, true);
    return query select k.organization_id, k.scopes, k.secret_hmac, k.revoked_at is not null
                   from api_keys k where k.id = p_id;
end $$;
comment on function presented_api_key is 'The one key that is presented, whosever it is; this transaction sees no other';

revoke all on function keep_api_key, touch_api_key, presented_api_key from public;
grant execute on function keep_api_key, touch_api_key, presented_api_key to activities_writer;
grant select on api_keys to activities_writer;
