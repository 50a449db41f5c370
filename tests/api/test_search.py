"""Search finds words whole, in part and misspelt, best first, and marks them safely."""

import pytest
from service import Client


@pytest.fixture
def library(client: Client) -> Client:
    """An organisation with a few activities to look for."""
    for subject, description in (
        ("Proposal for Acme", "Pricing and implementation timeline"),
        ("Weekly call", "Discuss the proposal once more"),
        ("Demo of integrations", "SAP & Salesforce <b>bold</b>"),
        ("Gärtnerei's Straße visit", "Ünïcödé"),
        ("Lunch", None),
    ):
        client.create(subject=subject, description=description)
    return client


def found(client: Client, q: str, **asked: str) -> list[str]:
    return [row["subject"] for row in client.rows("/activities/search", q=q, **asked)]


@pytest.mark.parametrize(
    ("q", "subjects"),
    [
        ("integrations", ["Demo of integrations"]),
        ("INTEGRATIONS", ["Demo of integrations"]),
        ("integ", ["Demo of integrations"]),  # the beginning
        ("grations", ["Demo of integrations"]),  # the end
        ("tegrat", ["Demo of integrations"]),  # the middle
        ("intergrations", ["Demo of integrations"]),  # misspelt
        ("salesfroce", ["Demo of integrations"]),
        ("timelnie", ["Proposal for Acme"]),
        ("acme timeline", ["Proposal for Acme"]),  # every word, wherever it stands
        ("acme lunch", []),
        ("gartnerei", ["Gärtnerei's Straße visit"]),
        ("GÄRTNEREI", ["Gärtnerei's Straße visit"]),
        ("strasse", ["Gärtnerei's Straße visit"]),
        ("unicode", ["Gärtnerei's Straße visit"]),
        ("lu", ["Lunch"]),
        ("xylophone", []),
    ],
)
def test_words_are_found_whole_in_part_and_misspelt(library: Client, q: str, subjects: list[str]) -> None:
    assert found(library, q) == subjects


def test_what_the_subject_says_comes_before_what_the_description_says(library: Client) -> None:
    assert found(library, "proposal") == ["Proposal for Acme", "Weekly call"]


def test_whole_words_come_before_parts_of_words(client: Client) -> None:
    client.create(subject="Calling cards")
    client.create(subject="A call")
    client.create(subject="Recalled goods")
    assert found(client, "call")[0] == "A call"
    assert len(found(client, "call")) == 3


@pytest.mark.parametrize("q", ["!!", "&|", "' or 1=1 --", "\\\\", "%%", "__", ":*", "<->", "()", "  ", "€€"])
def test_signs_are_no_words_and_no_syntax(library: Client, q: str) -> None:
    words = "or 1 1" if "or" in q else ""
    assert found(library, q) == (found(library, words) if words else [])


def test_at_least_two_and_at_most_256_characters_are_asked_for(library: Client) -> None:
    assert library.call("GET", "/activities/search", params={"q": "x"}).status_code == 422
    assert library.call("GET", "/activities/search", params={"q": "lu"}).status_code == 200
    assert library.call("GET", "/activities/search", params={"q": "x" * 256}).status_code == 200
    assert library.call("GET", "/activities/search", params={"q": "x" * 257}).status_code == 422
    assert library.call("GET", "/activities/search", params={"q": "a " * 128}).status_code == 200


class TestHighlights:
    def highlight(self, client: Client, q: str) -> dict[str, str | None]:
        [row] = client.rows("/activities/search", q=q)
        shown: dict[str, str | None] = row["highlight"]
        return shown

    def test_mark_what_matched(self, library: Client) -> None:
        assert self.highlight(library, "acme pric") == {
            "subject": "Proposal for <mark>Acme</mark>",
            "description": "<mark>Pricing</mark> and implementation timeline",
        }

    def test_mark_misspelt_words_as_they_are_spelt(self, library: Client) -> None:
        assert self.highlight(library, "timelnie")["description"] == "Pricing and implementation <mark>timeline</mark>"

    def test_escape_everything_else(self, library: Client) -> None:
        assert self.highlight(library, "bold")["description"] == (
            "SAP &amp; Salesforce &lt;b&gt;<mark>bold</mark>&lt;/b&gt;"
        )

    def test_cannot_be_broken_out_of(self, client: Client) -> None:
        client.create(subject="<mark>x</mark><script>alert('findme')</script>", description='"findme" & more')
        assert self.highlight(client, "findme") == {
            "subject": (
                "&lt;mark&gt;x&lt;/mark&gt;&lt;script&gt;alert(&#x27;<mark>findme</mark>&#x27;)&lt;/script&gt;"
            ),
            "description": "&quot;<mark>findme</mark>&quot; &amp; more",
        }

    def test_mark_words_with_accents(self, library: Client) -> None:
        assert self.highlight(library, "gartnerei strasse")["subject"] == (
            "<mark>Gärtnerei</mark>&#x27;s <mark>Straße</mark> visit"
        )

    def test_have_no_description_where_there_is_none(self, library: Client) -> None:
        assert self.highlight(library, "lunch") == {"subject": "<mark>Lunch</mark>", "description": None}


def test_a_changed_activity_is_found_by_its_new_words_only(library: Client) -> None:
    activity = library.create(subject="Zebra crossing")
    library.patch(activity, subject="Okapi crossing")
    assert found(library, "okapi") == ["Okapi crossing"]
    assert found(library, "zebra") == []


def test_a_part_that_many_words_have_finds_them_all(client: Client) -> None:
    """Up to 64 words: what a part stands for is looked up among the words an organisation uses."""
    for n in range(0, 60, 10):
        client.create(subject=" ".join(f"pre{m:03}word" for m in range(n, n + 10)))
    assert len(found(client, "pre")) == 6
    assert len(found(client, "word")) == 6


def test_hits_are_filtered_and_paged_like_every_list(library: Client) -> None:
    for n in range(5):
        library.create(subject=f"Findable {n}", type="email", priority="high")
    library.create(subject="Findable note", type="note")
    assert len(found(library, "findable")) == 6
    assert found(library, "findable", type="note") == ["Findable note"]
    first = library.ok("GET", "/activities/search", params={"q": "findable", "per_page": 4})
    assert first["meta"].items() >= {"total": 6, "last_page": 2, "current_page": 1}.items()
    cursor = first["meta"]["next_cursor"]
    rest = library.ok("GET", "/activities/search", params={"q": "findable", "per_page": 4, "cursor": cursor})
    ids = [row["id"] for row in [*first["data"], *rest["data"]]]
    assert len(ids) == len(set(ids)) == 6
