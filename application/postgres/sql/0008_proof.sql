-- Proof that the log is what it was: each organisation's tree, its signed checkpoints, and what the signer found wrong.

create table audit_tiles (
    organization_id text not null,
    level smallint not null,
    index bigint not null,
    hashes bytea not null,
    primary key (organization_id, level, index)
);
comment on table audit_tiles is 'The Merkle tree over each organization''s events (RFC 9162), in tiles of 256 hashes; the last tile of a level may be shorter';
alter table audit_tiles alter column hashes set storage external;

create table redactions (
    organization_id text not null,
    position bigint not null,
    leaf bytea not null,
    reason text not null,
    redacted_at timestamptz not null default clock_timestamp(),
    primary key (organization_id, position)
);
comment on table redactions is 'Events whose content was blanked for good (state is empty), each with the leaf it had before: the tree stays what it was';

create table audit_checkpoints (
    organization_id text not null,
    size bigint not null,
    root bytea not null,
    note text not null,
    signed_at timestamptz not null default clock_timestamp(),
    primary key (organization_id, size)
);
create index on audit_checkpoints (organization_id, signed_at);
comment on table audit_checkpoints is 'Signed: so many events had this root. The signer keeps its last one of each organization outside the database, too';

create table audit_alarms (
    organization_id text not null,
    position bigint not null,
    reason text not null,
    found_at timestamptz not null default clock_timestamp(),
    primary key (organization_id)
);
comment on table audit_alarms is 'Where the signer refuses to sign, the first position at fault, and why';

create table audit_signer (
    name text primary key check (name = 'signer'),
    origin text not null,
    public_key bytea not null,
    unsigned bigint not null default 0,
    alarms bigint not null default 0,
    said_at timestamptz not null default clock_timestamp()
);
comment on table audit_signer is 'local';
comment on column audit_signer.public_key is 'The one key checkpoints are signed with here: a signer with another one does not sign';
comment on column audit_signer.unsigned is 'Positions of all logs that no checkpoint covers yet';

do $$
declare t text;
begin
    foreach t in array array['audit_tiles', 'redactions', 'audit_checkpoints', 'audit_alarms'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy own_organization on %I using (organization_id = current_setting(''activities.organization_id'', true))', t);
        execute format('create policy every_organization on %I to activities_projector using (true) with check (true)', t);
        execute format('create policy signed_organizations on %I to activities_signer using (true) with check (true)', t);
        execute format('grant select on %I to activities_reader, activities_projector, activities_signer', t);
    end loop;
end $$;
create policy signed_organizations on heads for select to activities_signer using (true);
create policy signed_organizations on events for select to activities_signer using (true);
create policy signed_organizations on cursors for select to activities_signer using (true);

grant usage on schema activities to activities_signer;
grant select on heads, events, cursors to activities_signer;
grant select, insert, update on leases to activities_signer;
grant insert, update, delete on audit_checkpoints, audit_alarms to activities_signer;
grant select, insert, update on audit_signer to activities_signer;
grant select on audit_signer to activities_reader;
grant insert, update on audit_tiles to activities_projector;
