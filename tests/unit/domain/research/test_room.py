"""What goes into a result never passes its room, and what is left out is counted."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from theseus.contracts.research import Card, ResearchPlan, Source
from theseus.domain.research.report import MOST_ADDRESS_BYTES, MOST_COMPILED_BYTES, Found, compiled, rendered
from theseus.domain.research.room import MOST_BYTES, Room, size_of


@given(st.integers(0, 1_200_000), st.lists(st.integers(1, 300_000), max_size=12), st.floats(0.1, 1.0))
def test_what_is_kept_fits_beside_the_text_and_the_rest_is_counted(size: int, sizes: list[int], share: float) -> None:
    items: list[JsonValue] = ["é" * (each // 2) for each in sizes]
    room = Room("x" * size)
    first, second = room.take("first", items, share), room.take("second", items)
    assert sum(map(size_of, [*first, *second])) <= max(MOST_BYTES - size, 0)
    for name, kept in (("first", first), ("second", second)):
        assert kept == items[: len(kept)] and len(kept) + room.left_out.get(name, 0) == len(items)


def test_evidence_that_stands_in_for_a_text_is_no_longer_than_fits_and_of_every_question() -> None:
    source = Source(id="s", url="https://varn.example")
    names = ("north", "south")
    cards = [
        Card(id=f"c-{name}-{number}", claim=f"{number} {'河' * 290}", quote="", source=source, question=name, facet="f")
        for name in names
        for number in range(400)
    ]
    plan = ResearchPlan.model_validate(
        {"questions": [{"id": name, "question": name, "facets": [{"id": "f", "text": "f"}]} for name in names]}
    )
    text = compiled(plan, Found({card.id: card for card in cards}))
    assert len(text.encode()) <= MOST_COMPILED_BYTES * 1.1
    assert all(f"[[c-{name}-0]]" in text for name in names)


def test_evidence_that_stands_in_for_a_text_leaves_room_for_its_list_of_sources() -> None:
    cards = {
        f"c-{number:08x}": Card(
            id=f"c-{number:08x}",
            claim=f"It has {number} doors.",
            quote="",
            source=Source(id=f"s{number}", url=f"https://varn.example/{number}/{'x' * 4000}"),
            question="north",
        )
        for number in range(400)
    }
    plan = ResearchPlan.model_validate(
        {"questions": [{"id": "north", "question": "north", "facets": [{"id": "f", "text": "f"}]}]}
    )
    text, citations = rendered(compiled(plan, Found(cards)), Found(cards), cites=True)
    assert citations and len(text.encode()) <= MOST_COMPILED_BYTES * 1.1


def test_a_report_that_cites_hundreds_of_long_addresses_leaves_room_for_what_goes_with_it() -> None:
    cards = {
        f"c-{number:08x}": Card(
            id=f"c-{number:08x}",
            claim=f"It has {number} doors.",
            quote="",
            source=Source(
                id=f"s{number}",
                url=f"https://varn.example/{number}/{'x' * 4000}",
                title=f"Door {number}",
                domain="varn.example",
            ),
            question="north",
        )
        for number in range(400)
    }
    draft = "\n\n".join(f"{card.claim} [[{card.id}]]" for card in cards.values())
    text, citations = rendered(draft, Found(cards), cites=True)
    assert len(citations) == 400 and len(text.encode()) <= MOST_ADDRESS_BYTES * 1.2
    assert "<https://varn.example/0/x" in text and "\n400. Door 399. varn.example. (" in text
