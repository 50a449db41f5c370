"""`activities verify` and `rebuild`: what they say, and with which exit code they end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from api.commands.progress import counting
from application.oversight.on_record import every_organization, on_record, rebuild_of, replay_of, roll_back_of
from projections.read_model import ReadModel
from projections.rebuild import NoPrevious, Rebuild
from projections.shadow import Drift
from projections.verify import Verdict, verify

MOST_SHOWN = 20


def verify_tables(dsn: str, models: Iterable[ReadModel]) -> int:
    """0 where every row is what the log says, else 1."""
    models = list(models)
    with on_record(dsn, every_organization(dsn), replay_of(*_names(models))) as work:
        with counting("folding the log") as told:
            verdicts = list(verify(dsn, models, told))
        work.drift.update(_drift(verdicts))
    return _reported(models, verdicts)


def rebuild_tables(dsn: str, models: Iterable[ReadModel]) -> int:
    """0 once rebuilt. What the replaced tables had otherwise than the log is reported."""
    models = list(models)
    with on_record(dsn, every_organization(dsn), rebuild_of(*_names(models))) as work:
        with counting("folding the log") as told:
            verdicts = Rebuild(dsn, *models).run(told)
        work.drift.update(_drift(verdicts))
    _reported(models, verdicts)
    for name in _names(models):
        print(f"{name}: rebuilt; the table it replaced is kept for --rollback")
    return 0


def roll_back_tables(dsn: str, models: Iterable[ReadModel]) -> int:
    """0 once every table is the one it was before its rebuild; 1 where there is none."""
    missing = False
    for model in models:
        try:
            with on_record(dsn, every_organization(dsn), roll_back_of(model.name)):
                Rebuild(dsn, model).roll_back()
            print(f"{model.name}: rolled back")
        except NoPrevious:
            print(f"{model.name}: there is no previous table")
            missing = True
    return int(missing)


def _names(models: Iterable[ReadModel]) -> list[str]:
    return [model.name for model in models]


def _drift(verdicts: Iterable[Verdict]) -> Counter[str]:
    """How many rows and counts are not what the log says, by organisation."""
    found: Counter[str] = Counter()
    for verdict in verdicts:
        found[verdict.organization_id] += len(verdict.drift) + verdict.wrong_counts
    return found


def _reported(models: Iterable[ReadModel], verdicts: Sequence[Verdict]) -> int:
    drifting = 0
    for name in _names(models):
        of_model = [verdict for verdict in verdicts if verdict.read_model == name]
        drift = [row for verdict in of_model for row in verdict.drift]
        rows = sum(verdict.rows for verdict in of_model)
        wrong = sum(verdict.wrong_counts for verdict in of_model)
        print(f"{name}: {rows} rows in {len(of_model)} organisations, {len(drift)} not what the log says")
        if wrong:
            print(f"  {wrong} kept counts are not what a count says; a rebuild counts again")
        for line in _lines(drift):
            print(f"  {line}")
        drifting += len(drift) + wrong
    return int(drifting > 0)


def _lines(drift: list[Drift]) -> Iterator[str]:
    for row in drift[:MOST_SHOWN]:
        columns = f": {', '.join(row.columns)}" if row.columns else ""
        yield f"{row.organization_id} {row.key} {row.how}{columns}"
    if len(drift) > MOST_SHOWN:
        yield f"and {len(drift) - MOST_SHOWN} more"
