"""Where the read models stand: said by the projector twice a second, read by readiness and metrics."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

STALLED = 10.0
"""Seconds without a move, while there is something to read, after which a projector counts as stalled."""

SILENT = 60
"""Seconds after which a signer that was at work once counts as gone."""

_SAY = """
insert into standing (read_model, behind, seconds, parked, said_at)
select m.name,
       coalesce(sum(h.position - coalesce(c.position, 0)), 0),
       coalesce(max(case when h.position > coalesce(c.position, 0)
                         then extract(epoch from clock_timestamp() - greatest(c.moved_at, h.recorded_at)) end), 0),
       (select count(*) from parked),
       clock_timestamp()
  from unnest(%s::text[]) as m(name)
  left join heads h on true
  left join cursors c on c.organization_id = h.organization_id and c.read_model = m.name
 group by m.name
on conflict (read_model) do update
   set behind = excluded.behind, seconds = excluded.seconds, parked = excluded.parked, said_at = excluded.said_at
"""

STANDING = "select read_model, behind, seconds, parked from standing order by read_model"

SIGNING = "select unsigned, alarms, extract(epoch from clock_timestamp() - said_at)::float8 from audit_signer"
"""Positions without a checkpoint, logs it refuses to sign, seconds since the signer said so; no row: none ever did."""

TROUBLE = f"""
select case
    when not exists (select from leases where name = 'projector' and expires_at > clock_timestamp())
        then 'no projector is at work'
    when exists (select from standing where seconds > {STALLED})
        then 'the projector is stalled'
    end, (select coalesce(max(parked), 0) from standing), (
    select case when alarms > 0 then 'logs the signer refuses to sign: ' || alarms
                when said_at < clock_timestamp() - interval '{SILENT} seconds' then 'the signer is silent'
           end from audit_signer)
"""
"""Why reads would not be fresh, null when they are; how many streams are parked; what is wrong with proofs, or null."""


def say(connection: Connection[Any], read_models: Iterable[str]) -> None:
    connection.execute(_SAY, (list(read_models),))
