"""Words of a made-up language, so that it is known how often each is said: common, now and then, or rarely."""

from itertools import product

TOPICS = (
    "renewal pricing integration onboarding proposal security roadmap warranty training invoice expansion migration"
).split()
"""Said by one activity in six: in the subject of one in twelve, in the description of as many."""

FREQUENT = 100
"""How many words there are that one activity in a hundred says."""

SAYERS = 8
"""How many activities say each rare word, however many activities there are."""

_SYLLABLES = [
    "".join(parts) for parts in product(("b", "d", "fr", "g", "k", "l", "m", "n", "pl", "st", "tr", "v", "z"), "aeiou")
]
_ENDINGS = ("x", "nt", "rd", "lm", "sk", "ck", "sh", "mp", "ng", "ft", "th", "rn")
_ALL = len(_SYLLABLES) ** 3 * len(_ENDINGS)
_STRIDE = 1_160_617  # shares no factor with _ALL, so that every number has a word of its own, neighbours unlike


def word(number: int) -> str:
    """The word of a number: the first FREQUENT are the frequent ones, those after them the rare ones."""
    place = number * _STRIDE % _ALL
    place, ending = divmod(place, len(_ENDINGS))
    place, last = divmod(place, len(_SYLLABLES))
    first, middle = divmod(place, len(_SYLLABLES))
    return _SYLLABLES[first] + _SYLLABLES[middle] + _SYLLABLES[last] + _ENDINGS[ending]


def rare_words(rows: int) -> int:
    """How many rare words an organisation of that many activities uses."""
    return max(1, rows // SAYERS)


def misspelt(right: str) -> str:
    """The word with one letter in its middle wrong."""
    middle = len(right) // 2
    wrong = "q" if right[middle] != "q" else "j"
    return right[:middle] + wrong + right[middle + 1 :]
