"""`activities erase`: one person's data, for good."""

import asyncio

from application.desk import Desk
from application.erasure.erase import Outcome, Person, Who, erase
from application.erasure.tidying import tidy
from application.oversight.operator import operator
from application.postgres.connections import writer_of
from domain.erasure.drafts import Erasure


def erase_person(dsn: str, person: Person, wanted: Erasure) -> None:
    """Erase and say how much there was. Raises Unknown, and Unavailable where it has to be asked for again."""

    async def run() -> Outcome:
        async with Desk(writer_of(dsn), lanes=1).opened() as desk:
            return await erase(desk, person, wanted, Who(operator()))

    outcome = asyncio.run(run())
    if wanted.dry_run:
        print(f"{outcome.activities} activities say something of them; nothing was erased")
    elif outcome.already:
        print("erased already")
    elif outcome.erasure_id is None:
        print("nothing is known of them")
    else:
        tidy(dsn)
        if outcome.in_plain:
            print(f"{outcome.in_plain} events were never sealed, and the tree covers them: the log keeps what they say")
        print(f"erased, with what {outcome.activities} activities said; erasure {outcome.erasure_id}")
