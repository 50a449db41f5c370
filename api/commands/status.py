"""`activities status`: how a running service is doing, as a live panel; plain lines where there is no terminal."""

import time
from collections.abc import Callable, Iterator

import httpx
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from api.commands.measured import Between, Measured, look

WELL = ("ready", "degraded")
Line = tuple[str, str]


def show(url: str, *, once: bool, every: float, console: Console | None = None) -> int:
    """Until it is interrupted, or once. 0 where the service was ready at the last look, else 1."""
    console = console or Console()
    with httpx.Client(base_url=url, timeout=5) as client:
        if once:
            now = look(client)
            _print(console, url, Between(None, now))
        else:
            now = _follow(client, url, every, console)
    return int(now.ready not in WELL)


def _follow(client: httpx.Client, url: str, every: float, console: Console) -> Measured:
    now = look(client)
    try:
        if console.is_terminal:
            with Live(panel_of(url, Between(None, now)), console=console, auto_refresh=False) as live:
                now = _repeat(client, now, every, lambda seen: live.update(panel_of(url, seen), refresh=True))
        else:
            _print(console, url, Between(None, now))
            now = _repeat(client, now, every, lambda seen: _print(console, url, seen))
    except KeyboardInterrupt:
        pass
    return now


def _repeat(client: httpx.Client, now: Measured, every: float, tell: Callable[[Between], None]) -> Measured:
    while True:
        time.sleep(every)
        before, now = now, look(client)
        tell(Between(before, now))


def _print(console: Console, url: str, seen: Between) -> None:
    for name, value in lines_of(url, seen):
        print(f"{name}: {value}", file=console.file)
    console.file.flush()


def panel_of(url: str, seen: Between) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in lines_of(url, seen):
        table.add_row(name, value)
    return Panel(table, title="activities", border_style="green" if seen.now.ready in WELL else "red")


def lines_of(url: str, seen: Between) -> Iterator[Line]:
    """What there is to tell, line by line. Rates are those since the look before, else totals are told."""
    yield "service", f"{seen.now.ready} at {url}"
    if not seen.now.values:
        return
    yield "requests", _each(seen, seen.by("activities_http_requests_total", "status"))
    yield "answered", _times(seen, "activities_http_request_seconds")
    for route, _ in list(seen.by("activities_http_request_seconds_count", "route").items())[:5]:
        yield "  route", f"{route}: {_rate(seen, seen.count('activities_http_request_seconds_count', route=route))}"
    yield "commands", _each(seen, seen.by("activities_commands_total", "outcome"))
    size = seen.mean("activities_batch_size")
    yield "batches", f"{_times(seen, 'activities_batch_seconds')}, {size:.1f} commands each"
    yield "waiting", f"{seen.now.total('activities_commands_waiting'):.0f} commands"
    connections, under_way = (seen.now.total(f"activities_pool_{name}") for name in ("connections", "under_way"))
    refused = _rate(seen, seen.count("activities_pool_refused_total"))
    yield "pool", f"{under_way:.0f} questions on {connections:.0f} connections, {refused} refused"
    yield "database", "answers" if seen.now.total("activities_database_up") else "does not answer"
    for labels, seconds in seen.now.of("activities_projection_lag_seconds"):
        name = labels["read_model"]
        behind = seen.now.total("activities_projection_behind", read_model=name)
        yield f"  {name}", f"{seconds:.1f} s and {behind:.0f} positions behind"
    yield "parked", f"{seen.now.total('activities_parked_streams'):.0f} streams"


def _rate(seen: Between, count: float) -> str:
    return f"{count / seen.seconds:.1f}/s" if seen.seconds else f"{count:.0f}"


def _each(seen: Between, counts: dict[str, float]) -> str:
    return ", ".join(f"{name} {_rate(seen, count)}" for name, count in counts.items()) or "none"


def _times(seen: Between, name: str) -> str:
    """Median and worst hundredth of a histogram, as bounds."""
    half, most = seen.quantile(name, 0.5), seen.quantile(name, 0.99)
    if half is None or most is None:
        return "none"
    return f"half within {half * 1000:g} ms, 99 % within {most * 1000:g} ms"
