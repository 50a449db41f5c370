"""Questions: one activity, pages of lists, what is late, and search."""

from collections.abc import Callable, Sequence
from random import Random

from benchmarks.data.words import FREQUENT, TOPICS, misspelt, rare_words, word
from benchmarks.load.requests import Requests
from benchmarks.load.wrk import LoadFailed
from benchmarks.scenarios.asking import answer
from benchmarks.scenarios.scenario import Making, Scenario
from benchmarks.targets.target import Target
from domain.vocabulary import Priority

WORDS = 300
PAGES = 40
USERS = 40
_BOTH = ("service", "crud")


def detail(target: Target, seconds: int) -> Sequence[bytes]:
    ids = [target.id_of(one.key) for one in target.main.activities()]
    requests = Requests(target)
    return [requests.get(f"/activities/{id_}") for id_ in Random(1).sample(ids, min(len(ids), 10_000))]  # noqa: S311


def filtered_list(target: Target, seconds: int) -> Sequence[bytes]:
    requests = Requests(target)
    return [
        requests.get("/activities", status=status, priority=priority)
        for priority in Priority
        for status in ("pending", "completed")
    ]


def cursor_page(target: Target, seconds: int) -> Sequence[bytes]:
    """The pages after the first of a long list, as one who scrolls asks for them."""
    requests, cursors = Requests(target), list[str]()
    asked = requests.get("/activities", status="pending")
    while len(cursors) < PAGES and (cursor := answer(target, asked)["meta"]["next_cursor"]):
        cursors.append(cursor)
        asked = requests.get("/activities", status="pending", cursor=cursor)
    if not cursors:
        raise LoadFailed(f"{target.name} gives no cursors")
    return [requests.get("/activities", status="pending", cursor=cursor) for cursor in cursors]


def overdue(target: Target, seconds: int) -> Sequence[bytes]:
    """Everybody's, and that of each of many users: no two ask the same at the same time."""
    requests = Requests(target)
    users = (f"user-{n}" for n in range(1, USERS + 1))
    return [
        requests.get("/activities/overdue"),
        *(requests.get("/activities/overdue", assigned_user_id=user) for user in users),
    ]


def overdue_by_priority(target: Target, seconds: int) -> Sequence[bytes]:
    """Full pages, however many activities there are. Of one user ten are late where there are 10,000."""
    requests = Requests(target)
    each = (requests.get("/activities/overdue", priority=priority) for priority in Priority)
    return [requests.get("/activities/overdue"), *each]


def page_200(target: Target, seconds: int) -> Sequence[bytes]:
    return [Requests(target).get("/activities", page=200)]


def deep_filter(target: Target, seconds: int) -> Sequence[bytes]:
    """Many filters at once, which no index answers alone."""
    requests, r = Requests(target), Random(2)  # noqa: S311
    return [
        requests.get(
            "/activities",
            type=r.choice(("call", "meeting", "demo")),
            status="pending",
            assigned_user_id=f"user-{r.randint(1, 50)}",
            tags=r.choice(TOPICS),
        )
        for _ in range(WORDS)
    ]


def searching(questions: Callable[[Target, Random], Sequence[str]]) -> Making:
    def making(target: Target, seconds: int) -> Sequence[bytes]:
        requests = Requests(target)
        return [requests.get("/activities/search", q=q) for q in questions(target, Random(3))]  # noqa: S311

    return making


def rare(target: Target, r: Random) -> Sequence[str]:
    return [word(FREQUENT + r.randrange(rare_words(target.main.rows))) for _ in range(WORDS)]


def two(target: Target, r: Random) -> Sequence[str]:
    return [f"{r.choice(TOPICS)} {word(r.randrange(FREQUENT))}" for _ in range(WORDS)]


def common(target: Target, r: Random) -> Sequence[str]:
    return TOPICS


def wrong(target: Target, r: Random) -> Sequence[str]:
    return [misspelt(right) for right in rare(target, r)]


READS = (
    Scenario("detail", "one activity in full", (*_BOTH, "stock", "null"), detail),
    Scenario("list", "list by status and priority, exact total", (*_BOTH, "null"), filtered_list),
    Scenario("cursor", "list, the next page by cursor", _BOTH, cursor_page),
    Scenario("overdue", "what is overdue", _BOTH, overdue),
    Scenario("rare-word", "search for a rare word", _BOTH, searching(rare)),
    Scenario("two-words", "search for two words", _BOTH, searching(two)),
    Scenario("common-word", "search for a common word", _BOTH, searching(common)),
    Scenario("misspelt", "search for a misspelt word", _BOTH, searching(wrong)),
)
