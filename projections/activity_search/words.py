"""Words, as search sees them: letters and digits, without accents or case. One rule for tables, questions, marks."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

LONGEST = 64
MOST = 6000

WORD = re.compile(r"[^\W_]+")


def normalised(text: str) -> str:
    """Without case and accents: Café is cafe, Straße is strasse."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """The words of a text in order; what is beyond a word's or a text's usual length is cut."""
    found = WORD.findall(text.lower() if text.isascii() else normalised(text))
    return [word[:LONGEST] for word in found[:MOST]]


class Spoken(NamedTuple):
    """What a text says: its words, each once, and as a tsvector literal that tells their places."""

    words: tuple[str, ...]
    vector: str


@lru_cache(maxsize=4096)
def spoken(subject: str, description: str | None) -> Spoken:
    """What an activity says; the words of its subject weigh A."""
    places: dict[str, list[str]] = {}
    for number, word in enumerate(words_of(subject), start=1):
        places.setdefault(word, []).append(f"{number}A")
    for number, word in enumerate(words_of(description or ""), start=300):
        places.setdefault(word, []).append(f"{number}")
    return Spoken(tuple(places), " ".join(f"'{word}':{','.join(at[:16])}" for word, at in places.items()))
