"""Recall finds what a question is about in any language, stays within its room, and gives the same for the same memory."""

# ruff: noqa: RUF001 - texts in many scripts

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.memory import fact
from theseus.contracts.memory import Fact, Kind
from theseus.domain.recalling import MOST_FACTS, MOST_LIKE, cosines, picked, ranked, room_tokens, shown, terms_of
from theseus.domain.tokens import estimate

MEMORY = {
    "tea": "The user drinks green tea in the mornings.",
    "ship": "The user is building a ship with three masts.",
    "dog": "The user has two dogs named Rex and Bella.",
    "work": "The user works on the Orion project at a hospital.",
    "german": "Der Nutzer wohnt in einem Häuschen bei München.",
    "danish": "Brugeren cykler på arbejde hver dag.",
    "russian": "У пользователя есть собака.",
    "greek": "Ο χρήστης μαθαίνει κιθάρα.",
    "arabic": "المستخدم يحب القهوة كثيرا",
    "hindi": "उपयोगकर्ता हिन्दी और संस्कृत पढ़ता है",
    "chinese": "用户住在上海，喜欢打网球。",
    "japanese": "ユーザーは京都の大学で建築を学んでいる。",
    "korean": "사용자는 부산에서 식당을 운영한다.",
    "thai": "ผู้ใช้ชอบกินข้าวผัดกุ้ง",
}
FACTS = [fact(text, name, days=day) for day, (name, text) in enumerate(MEMORY.items())]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Which tea should I drink?", "tea"),
        ("How many MASTS do my ships have", "ship"),
        ("What do I feed my dog?", "dog"),
        ("status of orion", "work"),
        ("Was kostet ein Häuschen in MUNCHEN?", "german"),
        ("Hvor langt cykler jeg?", "danish"),
        ("Чем кормить собаку?", "russian"),
        ("Ποια κιθάρα να αγοράσω;", "greek"),
        ("ما هي أفضل القهوة", "arabic"),
        ("हिन्दी की किताब", "hindi"),
        ("上海的天气怎么样？", "chinese"),
        ("建築の本を探して", "japanese"),
        ("식당 메뉴를 추천해 줘", "korean"),
        ("สูตรข้าวผัด", "thai"),
    ],
)
def test_the_best_fact_for_a_question_is_the_one_it_is_about(query: str, name: str) -> None:
    assert ranked(FACTS, query)[0].task_id == name


def test_a_question_about_something_else_recalls_nothing() -> None:
    assert picked(FACTS, "What is the square root of 17?", 1000) == ()


def test_keywords_and_the_subject_are_searched_too() -> None:
    car = fact("The user bought a Volvo.", keywords=("car", "Auto"), about="vehicle")
    for query in ("my car", "mein Auto", "which vehicle"):
        assert ranked([car, *FACTS], query)[0] is car


def test_who_the_user_is_and_likes_is_known_in_every_task() -> None:
    name = fact("The user's name is Ada.", "name", kind=Kind.PERSON)
    terse = fact("The user likes short answers.", "terse", days=1, kind=Kind.PREFERENCE)
    past = fact("The user decided for PostgreSQL.", "past", kind=Kind.DECISION)
    assert picked([terse, past, name], "What is the square root of 17?", 1000) == (name, terse)


def test_what_fits_the_question_leaves_room_for_what_holds_always() -> None:
    ships = [fact(f"The user sails the ship number {n} of the fleet.", f"s{n}") for n in range(60)]
    terse = fact("The user likes short answers.", "terse", kind=Kind.PREFERENCE)
    chosen = picked([*ships, terse], "Which ship of the fleet sails?", 200)
    assert terse in chosen and len(chosen) > 5


def test_of_two_that_fit_alike_the_newer_is_shown_first_when_room_is_short() -> None:
    old, new = fact("The user sails to Rome.", "a"), fact("The user sails to Oslo.", "b", days=9)
    assert picked([old, new], "Where do I sail?", estimate(shown([new])) + 6) == (new,)


@given(st.lists(st.sampled_from(FACTS), unique_by=lambda each: each.id), st.sampled_from(list(MEMORY.values())))
def test_the_order_in_which_facts_are_kept_changes_nothing(facts: list[Fact], query: str) -> None:
    mixed = random.Random(7).sample(facts, len(facts))
    assert picked(facts, query, 120) == picked(mixed, query, 120)


@given(st.lists(st.text(min_size=1, max_size=300), max_size=60), st.text(max_size=100), st.integers(0, 400))
def test_the_room_is_never_passed(written: list[str], query: str, room: int) -> None:
    facts = [fact(text, f"t{n}", kind=Kind.PERSON) for n, text in enumerate(written)]
    chosen = picked(facts, query, room)
    assert sum(estimate(line) + 1 for line in shown(chosen).split("\n") if chosen) <= room
    assert len(chosen) <= MOST_FACTS and list(chosen) == sorted(
        chosen, key=lambda each: (each.at, each.task_id, each.n)
    )


@pytest.mark.parametrize(("window", "room"), [(0, 0), (8_192, 163), (50_000, 1_000), (2_000_000, 1_000)])
def test_the_room_is_a_share_of_the_models_window(window: int, room: int) -> None:
    assert room_tokens(window) == room


def test_a_fact_is_one_line_with_its_date() -> None:
    assert shown([fact("Lives in\n## Rome\r\n- now", days=2)]) == "- 2026-01-07: Lives in ## Rome - now"


def test_likeness_of_meaning_finds_what_no_word_does_and_words_still_count() -> None:
    alike = {each.id: 0.1 for each in FACTS} | {FACTS[1].id: 0.9}
    assert ranked(FACTS, "my boat", alike)[0] is FACTS[1]
    assert {each.task_id for each in ranked(FACTS, "green tea", alike)[:2]} == {"tea", "ship"}
    assert len(ranked(FACTS, "my boat", alike)) == MOST_LIKE


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [((1.0, 0.0), (2.0, 0.0), 1.0), ((1.0, 0.0), (0.0, 3.0), 0.0), ((0.0,), (1.0,), 0.0), ((1.0,), (1.0, 1.0), 0.0)],
)
def test_likeness_is_the_cosine(one: tuple[float, ...], other: tuple[float, ...], like: float) -> None:
    assert cosines(one, {"a": other}) == {"a": pytest.approx(like)}


@given(st.text(max_size=200))
def test_any_text_has_terms(text: str) -> None:
    assert all(terms_of(text))
