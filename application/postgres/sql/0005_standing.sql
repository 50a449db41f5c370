-- What the projector says of itself: where operators and readiness look.

create table standing (
    read_model text primary key,
    behind bigint not null,
    seconds double precision not null,
    parked bigint not null,
    said_at timestamptz not null default clock_timestamp()
);
comment on table standing is 'local';
comment on column standing.behind is 'Positions of all logs it has yet to read';
comment on column standing.seconds is 'How long ago it last moved in a log it is behind in; 0 when it is behind in none';
grant select, insert, update on standing to activities_projector;
grant select on standing to activities_reader;
