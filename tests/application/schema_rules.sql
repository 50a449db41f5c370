-- What keeps an organisation's rows together, apart from others', and movable to another machine. Each row returned
-- is a breach. Tables without organization_id are allowed when commented 'reference' (small, the same everywhere) or
-- 'local' (never spread: migrations, leases). What belongs to an extension is not ours to judge.
with extensions as (
    select classid, objid from pg_depend where deptype = 'e'
), ours as (
    select c.oid, c.oid::regclass::text as name, c.relkind, c.reloptions, 
           -- search looks through its indexes in functions of the owner, which check whose transaction it is themselves
           c.relrowsecurity and (c.relforcerowsecurity or c.relname in ('activity_search', 'word_totals', 'word_keys')) as secured,
           coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
           (select attnum from pg_attribute a
             where a.attrelid = c.oid and attname = 'organization_id' and not attisdropped) as organization
      from pg_class c
      join pg_namespace n on n.oid = relnamespace
     where nspname !~ '^pg_' and nspname <> 'information_schema'
       and not relispartition
       and not exists (select from extensions where classid = 'pg_class'::regclass and objid = c.oid)
), tables as (
    select * from ours where relkind in ('r', 'p')
), spread as (
    select * from tables where comment not in ('reference', 'local')
), functions as (
    select p.oid::regprocedure::text as name, p.*
      from pg_proc p
      join pg_namespace n on n.oid = pronamespace
     where nspname !~ '^pg_' and nspname <> 'information_schema'
       and not exists (select from extensions where classid = 'pg_proc'::regclass and objid = p.oid)
)
select name, 'has no organization_id and no comment that says why' as breach
  from spread
 where organization is null

union all
select name, 'organization_id may be null'
  from spread
  join pg_attribute on attrelid = spread.oid and attnum = organization
 where not attnotnull

union all
select name, 'has no primary key'
  from spread
 where not exists (select from pg_index where indrelid = spread.oid and indisprimary)

union all
select name, 'has a unique index that organization_id does not lead: ' || indexrelid::regclass
  from spread
  join pg_index on indrelid = spread.oid
 where organization is not null and indisunique and indkey[0] <> organization

union all
select name, 'has an exclusion constraint without organization_id: ' || conname
  from spread
  join pg_constraint on conrelid = spread.oid
 where contype = 'x' and organization <> all (conkey)

union all
select spread.name, 'has a foreign key that crosses organizations: ' || conname
  from spread
  join pg_constraint on conrelid = spread.oid and contype = 'f'
  join tables referred on referred.oid = confrelid
 where referred.comment <> 'reference'
   and (referred.organization is null
        or array_position(conkey, spread.organization) is null
        or array_position(conkey, spread.organization) <> coalesce(array_position(confkey, referred.organization), 0))

union all
select name, 'has a trigger: ' || tgname
  from tables
  join pg_trigger on tgrelid = tables.oid
 where not tgisinternal

union all
select name, 'numbers rows by itself: ' || attname
  from tables
  join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
  left join pg_attrdef on adrelid = tables.oid and adnum = attnum
 where attidentity <> ''
    or pg_get_expr(adbin, adrelid) ~* 'nextval\(|pg_current_xact_id|txid_current|pg_backend_pid'

union all
select name, 'is a sequence'
  from ours
 where relkind = 'S'

union all
select name, 'has a GIN index on several columns: ' || indexrelid::regclass
  from spread
  join pg_index on indrelid = spread.oid
  join pg_class i on i.oid = indexrelid
  join pg_am on pg_am.oid = i.relam
 where amname = 'gin' and indnatts > 1

union all
select name, 'does not enable and force row level security'
  from tables
 where organization is not null and not secured

union all
select name, 'has a policy that does not ask for the organization: ' || polname
  from tables
  join pg_policy on polrelid = tables.oid
 where polroles <> array[to_regrole('activities_projector')::oid]
   and polroles <> array[to_regrole('activities_signer')::oid]
   and coalesce(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
       <> '(organization_id = current_setting(''activities.organization_id''::text, true))'
   -- An API key is presented before anybody knows whose it is: it may be read by who knows its id, and only read.
   and not (polcmd = 'r' and pg_get_expr(polqual, polrelid) = '(id = current_setting(''activities.api_key_id''::text, true))')
   -- An analyst may set any variable: her organization is what her login was granted.
   and not (polroles = array[to_regrole('activities_analyst')::oid]
            and pg_get_expr(polqual, polrelid)
                = '(organization_id = ( SELECT organization_of_analyst() AS organization_of_analyst))')
   and not (polcmd = 'r' and pg_get_expr(polqual, polrelid) = '(role_name = (SESSION_USER)::text)')

union all
select name, 'is a view with its owner''s rights'
  from ours
 where relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions), false)

union all
select name, 'is a materialized view, which row level security does not cover'
  from ours
 where relkind = 'm'

union all
select name, 'runs with its owner''s rights for everybody'
  from functions
 where prosecdef and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0))

union all
select name, 'runs with its owner''s rights on its caller''s search path'
  from functions
 where prosecdef and not coalesce(array_to_string(proconfig, ' ') like '%search_path=%', false)

union all
select name, 'uses what does not spread: ' || match[1]
  from functions, regexp_matches(prosrc, '(pg_advisory\w+|nextval|merge\s+into)', 'gi') as match

union all
select name, 'sets a variable beyond the transaction'
  from functions
 where prosrc ~* 'set_config\([^)]*,\s*false\s*\)'

 order by 1, 2
