-- What was stored before anything was sealed is sealed in place, before the tree covers it: whether that was done here.

create table past (
    one boolean primary key default true check (one),
    begun_at timestamptz not null default clock_timestamp(),
    sealed_at timestamptz
);
comment on table past is 'reference';
comment on column past.begun_at is 'When the first fact of an earlier release was sealed, or when there was found to be none';
comment on column past.sealed_at is 'From then on no stored fact is ever touched again';

comment on table events is 'Every fact ever recorded. Only append_events writes here; nobody updates or deletes. Once, at the upgrade from a release that sealed nothing, the owner seals what stood in plain';
