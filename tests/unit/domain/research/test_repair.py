"""Mending a draft never touches a sentence that was not named: not its bytes, not its place, not the heading above it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.research import SentenceCheck
from theseus.domain.research.repair import Repair, deleted, mended, rewritten
from theseus.domain.research.sentences import Sentence, sentences


def check_of(sentence: Sentence) -> SentenceCheck:
    return SentenceCheck(start=sentence.start, end=sentence.end, text=sentence.text, cites=sentence.cites)


def without(draft: str, *named: str) -> str:
    """The draft with the sentences deleted that begin so."""
    return mended(draft, [deleted(check_of(each)) for each in sentences(draft) if each.text.startswith(named)])


@pytest.mark.parametrize(
    ("draft", "named", "left"),
    [
        # what only looks like a heading, an item's number or an empty section
        ("# T\n\n#1 of the list is Ada.\n\nBob has 4 dogs.\n", "Bob", "# T\n\n#1 of the list is Ada.\n\n"),
        ("#hashtag of 2020 won.\nBob has 4 dogs.\n\nCid.\n", "Cid", "#hashtag of 2020 won.\nBob has 4 dogs.\n\n"),
        ("Bob has 4 dogs. 12.\n\nNext one.", "Bob", "12.\n\nNext one."),
        ("## Empty\n\n## Full\n\nAda has 3. Bob has 4.\n", "Bob", "## Empty\n\n## Full\n\nAda has 3.\n"),
        ("# T\n\n```\n# a comment\n```\n\nBob has 4.\n", "Bob", "# T\n\n```\n# a comment\n```\n\n"),
        ("## A\n\nBob has 4.\n\n```\n# x\n```\n", "Bob", "## A\n\n\n```\n# x\n```\n"),
        # the section goes with its last sentence, however its heading is written
        ("Head\n====\n\nBob has 4.\n\nOther\n=====\n\nAda.\n", "Bob", "\n\nOther\n=====\n\nAda.\n"),
        ("# T\n\n## A\n\nBob has 4.\n\n### B\n\nAda has 3.\n", "Ada", "# T\n\n## A\n\nBob has 4.\n\n\n"),
        # a sentence over two lines, and one that others stand beside
        ("Ada has 3\ncats. Bob has 4\ndogs. Cid.\n", "Bob", "Ada has 3\ncats. Cid.\n"),
        ("- Ada has 3.\n  Bob has 4.\n  Cid.\n", "Ada", "- Bob has 4.\n  Cid.\n"),
        ("> Ada has 3.\n> Bob has 4.\n> Cid.\n", "Bob", "> Ada has 3.\n> Cid.\n"),
        ("> Ada has 3.\n> Bob has 4.\n", "Bob", "> Ada has 3.\n"),
        ("Intro 1:\n- Ada has 3.\n  Bob has 4.\n", "Ada", "Intro 1:\n- Bob has 4.\n"),
        ("- Ada has 3:\n    - Bob has 4.\n", "Ada", "- \n    - Bob has 4.\n"),
        # signs that end no line of Markdown
        ("Ada\u2028has 3.\x0c\n\nBob has 4.\n\nCid.\n", "Bob", "Ada\u2028has 3.\x0c\n\n\nCid.\n"),
        ("Ada has 3.\r\n\r\nBob has 4.\r\n\r\nCid.\r\n", "Bob", "Ada has 3.\r\n\r\n\r\nCid.\r\n"),
        # a table goes with its last row
        ("| a | b |\n|---|---|\n| Ada | 3 |\n| Bob | 4 |\n", "Bob", "| a | b |\n|---|---|\n| Ada | 3 |\n"),
        ("Cid.\n\n| a | b |\n|---|---|\n| Bob | 4 |\n", "Bob", "Cid.\n\n"),
        # what stood within a line does not become a heading
        ("Bob has 4. # is a sign of 5.", "Bob", "\\# is a sign of 5."),
    ],
)
def test_a_deletion_takes_what_it_names_and_nothing_else(draft: str, named: str, left: str) -> None:
    assert without(draft, named) == left


def test_a_rewritten_sentence_becomes_no_heading_that_nobody_checks() -> None:
    draft = "Bob has 4 dogs.\n\n| a | b |\n|---|---|\n| Ada | 3 |\n"
    first, row = sentences(draft)
    repairs = [rewritten(check_of(first), "## 1. Bob has\n9 dogs."), rewritten(check_of(row), "Ada has 3 cats")]
    made = mended(draft, repairs)
    assert made == "Bob has 9 dogs.\n\n| a | b |\n|---|---|\n| Ada has 3 cats |\n"


BEGIN = st.sampled_from(["", "- ", "* ", "1. ", "> ", "## ", "#", "### ", "  ", "    - ", "| a | ", "\\"])
SAID = st.sampled_from(
    [
        "Ada has 3 cats.",
        "Bob sold 40 % of it [[c-1]].",
        "Cid lives there. [[c-2]]",
        "#1 is Dan.",
        "Who knows?",
        "Eve has 7\nbees.",
        "12.",
        "It is so",
        "*Fay* is 8 `# x`.",
        "销量上升。第二句话在这里[[c-3]]。",
        "z.B. Gus.",
        "| 4 |",
        "[x]: y",
        "<b>Hal</b> is 9.",
    ]
)
BETWEEN = st.sampled_from(
    [" ", "\n", "\n\n", "\r\n", "\n\n\n", "\n---\n", "\n===\n", "\n```\n", "\x0c", "\u2028", "\n|---|---|\n"]
)


@st.composite
def drafts(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(BEGIN, SAID, BETWEEN), min_size=1, max_size=12))
    return "".join("".join(part) for part in parts)


def in_order(pieces: list[str], text: str) -> bool:
    place = 0
    for piece in pieces:
        if (at := text.find(piece, place)) < 0:
            return False
        place = at + len(piece)
    return True


@given(drafts() | st.text(alphabet="aB 1.#->|\n[]!?`=\r\x0c", max_size=80), st.data())
def test_every_sentence_that_is_not_named_stays_byte_for_byte_and_in_order(draft: str, data: st.DataObject) -> None:
    found = sentences(draft)
    fates = data.draw(st.lists(st.sampled_from(["stay", "go", "new"]), min_size=len(found), max_size=len(found)))
    repairs: list[Repair] = []
    left: list[str] = []
    for each, fate in zip(found, fates, strict=True):
        if fate == "stay":
            left.append(draft[each.start : each.end])
        else:
            new = "Zoe has 5 ants. [[c-9]]" if fate == "new" else ""
            repairs.append(rewritten(check_of(each), new))
            left += [new] if new else []
    made = mended(draft, repairs)
    assert in_order(left, made), (draft, made, left)
    if not repairs:
        assert made == draft


@given(
    st.lists(st.sampled_from(["## A", "# B", "### C", "Ada has 3 cats.", "- Bob has 4.", "#5 is Cid."]), max_size=10)
)
def test_a_heading_stays_as_long_as_something_stands_under_it(parts: list[str]) -> None:
    draft = "\n\n".join(parts)
    found = sentences(draft)
    made = mended(draft, [deleted(check_of(each)) for each in found if each.text.startswith("Ada")])
    expected: list[str] = []
    for place, part in enumerate(parts):
        if part.startswith("Ada"):
            continue
        if part.endswith(("A", "B", "C")):
            level = part.count("#")
            under = parts[place + 1 :]
            ends = [n for n, each in enumerate(under) if each.endswith(("A", "B", "C")) and each.count("#") <= level]
            below = [each for each in under[: min(ends, default=len(under))] if not each.endswith(("A", "B", "C"))]
            if below and all(each.startswith("Ada") for each in below):
                continue
        expected.append(part)
    assert [line for line in made.splitlines() if line] == expected
