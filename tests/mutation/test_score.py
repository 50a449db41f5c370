"""What a mutation run says of a room: what nothing noticed counts against it, and a sample says how sure it is."""

import pytest

from mutation.score import Sample, Score


def score(sample: Sample | None = None, **fates: int) -> Score:
    names = [(f"{fate}__mutmut_{n}", fate.replace("_", " ")) for fate, count in fates.items() for n in range(count)]
    return Score("desk", dict(names), sample)


def test_only_what_was_noticed_counts_for_a_room() -> None:
    some = score(killed=80, timeout=5, segfault=1, survived=9, no_tests=3, not_checked=2)
    assert some.percent == pytest.approx(86)
    assert len(some.survivors) == 14


@pytest.mark.parametrize(
    ("killed", "survived", "low", "high"),
    [(81, 182, 25.53, 36.62), (15, 133, 6.24, 16.05), (0, 20, 0.0, 16.11), (1, 28, 0.61, 17.18)],
)
def test_the_interval_is_wilsons(killed: int, survived: int, low: float, high: float) -> None:
    """The worked examples of Newcombe (1998), table I."""
    assert score(killed=killed, survived=survived).interval == pytest.approx((low, high), abs=0.01)


def test_a_sample_says_of_how_many_it_is_and_a_whole_room_says_nothing_of_the_kind() -> None:
    told = score(Sample(seed=7, of=600), killed=90, survived=10).told()
    assert told == {
        "percent": 90.0,
        "mutants": 100,
        "killed": 90,
        "survived": 10,
        "sample": {"of": 600, "seed": 7, "percent_95": [82.6, 94.5]},
    }
    assert score(killed=90, survived=10).told() == {"percent": 90.0, "mutants": 100, "killed": 90, "survived": 10}
