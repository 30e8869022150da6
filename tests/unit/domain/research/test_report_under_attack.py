"""Whatever a model or a page writes, a report has no link, image, HTML or address but those of its fetched sources."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from theseus.contracts.research import Card, Contradiction, FacetRow, ResearchPlan, Source, SubQuestion
from theseus.domain.research.markup import plain
from theseus.domain.research.report import Found, compiled, rendered
from theseus.domain.research.sentences import sentences

URL = "https://good.example/report?year=2031&part=2"
GOOD = Card(
    id="c-11111111",
    claim="It is so.",
    quote="Amazon.com says: it is so, write to http://trap.example/collect or me@trap.example.",
    source=Source(id="s-11111111", url=URL, title="A page", domain="good.example", sha256="ab" * 32),
    question="q",
    facet="f",
)
ID = GOOD.id
CITED = f"It is so. [[{ID}]]"

# what sites make links of without being asked: GitHub's extensions, and the usual linkifiers
SEEN_AS_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.|[\w.+-]+@[\w-]+\.[\w.-]+|\bevil\.\w|trap\.\w|(?:javascript|vbscript|mailto):\w|data:text/",
    re.IGNORECASE,
)


def tokens_of(text: str) -> list[Token]:
    """All that a reader's Markdown makes of a text, HTML included."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [part for token in parser.parse(text) for part in (token, *(token.children or ()))]


def dangers(text: str, allowed: frozenset[str] = frozenset({URL})) -> list[str]:
    """Links, images, HTML and addresses of a report that are not those of its sources."""
    found: list[str] = []
    for token in tokens_of(text):
        where = str(token.attrs.get("href") or token.attrs.get("src") or "")
        if (token.type in ("link_open", "image") and where not in allowed) or token.type.startswith("html"):
            found.append(f"{token.type} {where}{token.content}")
    inline = ("text", "text_special", "code_inline", "softbreak", "hardbreak")
    seen = "".join(token.content or "\n" for token in tokens_of(text) if token.type in inline)
    seen += "".join(token.content + token.info for token in tokens_of(text) if token.type in ("fence", "code_block"))
    seen = re.sub("[\u200b-\u200f\u2060\ufeff\u00ad]", "", seen)
    for url in allowed:
        seen = seen.replace(url, "")
    return found + SEEN_AS_ADDRESS.findall(seen)


ATTACKS = [
    "[good](https://evil.example/a)",
    "[good](<https://evil.example/a b>)",
    '[good](https://evil.example/a "It is so")',
    "[good\nnews](https://evil.example/a)",
    "[go[o]d](https://evil.example/a(b)c)",
    "[good](\nhttps://evil.example/a\n)",
    "![pixel](https://evil.example/p.png)",
    "[![pixel](https://evil.example/p.png)](https://evil.example)",
    "[good][x]\n\n[x]: https://evil.example",
    "[good][]\n\n[good]: <https://evil.example> 'title'",
    "[good]\n\n[good]:\n  https://evil.example",
    "[good]\n\n> [good]: javascript:alert(1)",
    "It is so.[^1]\n\n[^1]: https://evil.example",
    "<https://evil.example/a>",
    "<me@evil.example>",
    "<javascript:alert(1)>",
    "[good](javascript:alert(1))",
    "[good](JaVaScRiPt&colon;alert(1))",
    "[good](java\nscript:alert(1))",
    "[good](data:text/html;base64,PHNjcmlwdD4=)",
    "[good](vbscript:msgbox)",
    "[good](//evil.example/a)",
    "[good](/login)",
    "[good](#top)",
    "&#91;good&#93;&#40;https&#58;//evil&#46;example&#41;",
    "https&#58;&#x2F;&#x2f;evil.example/a",
    "https:&sol;&sol;evil&period;example",
    "https&amp;#58;//evil.example",
    "&lt;img src=x onerror=alert(1)&gt;",
    "<img src=x onerror=alert(1)>",
    "<img\nsrc=x onerror=alert(1)>",
    "<IMG/SRC=x>",
    "<a href='https://evil.example'>good</a>",
    "<div>\n<a href=https://evil.example>good</a>\n</div>",
    "<script>\nalert(1)\n</script>",
    "<!-- https://evil.example -->",
    "<?php https://evil.example ?>",
    "<![CDATA[https://evil.example]]>",
    "<svg/onload=alert(1)>",
    "<style>@import 'https://evil.example'</style>",
    "```\n[good](https://evil.example)\n```",
    "```html\n<a href='https://evil.example'>\n```",
    "~~~ https://evil.example\nx\n~~~",
    "    https://evil.example",
    "`https://evil.example`",
    "``[good](https://evil.example)``",
    "ht\u200btps://evil.example",
    "https\u2060://ev\u00adil.example",
    "https:/\u200d/evil.example",
    "\u202ehttps://evil.example\u202c",
    "ht**tps**://evil.example",
    "https:/*/*evil.example/",
    "https\\://evil\\.example",
    "https:\\/\\/evil.example",
    "www.evil.example",
    "WWW.EVIL.EXAMPLE/a",
    "www\\.evil.example",
    "\uff48\uff54\uff54\uff50\uff53\uff1a\uff0f\uff0fevil.example",
    "evil.example",
    "evil.example/path",
    "evil.sh/install",
    "ftp://evil.example/f",
    "ssh://git@evil.example/x",
    "mailto:me@evil.example",
    "me@evil.example",
    "http://trap.example/collect",
    "me@trap.example",
    "http://good.example.evil.example/report",
    "https://good.example/other",
    f"{URL}.evil.example",
    f"{URL}@evil.example",
    f"https://evil.example/?to={URL}",
    f"[[{ID}]](https://evil.example)",
    f"[[{ID}]]: https://evil.example",
    f"[[{ID}]]: javascript:alert(1)",
    f"[[{ID}]][x]\n\n[x]: javascript:alert(1)",
    f"[good [[{ID}]]](https://evil.example)",
    f"[[{ID}]](<javascript:alert(1)>)\n\n[1]: /x",
    "[1]: https://evil.example",
    "See [1].\n\n[1]: /evil",
    "\\[good](javascript:a) [b](javascript:c)",
    "\\\\[good](javascript:alert(1))",
    "\\[[c-99999999]][good\\[[c-99999999]]](javascript:alert(1))",
    "[x]([[c-99999999]]javascript:alert(1))",
    "[good]((javascript:alert)(1))",
    "[good][[c-99999999]](https://evil.example)",
    "| a | b |\n|---|---|\n| `a | [x](javascript:1) ` |",
    "`\n\n[x](javascript:alert(1)) `",
    "| [a](javascript:1 | b) |\n|---|---|",
    "# [good](https://evil.example)",
    "[good](https://evil.example)\n===",
    "- [good]:\n  https://evil.example\n\n[good]",
    "&NewLine;&lbrack;good&rbrack;&lpar;javascript&colon;a&rpar;",
    "\ue000javascript:alert(1)\ue001",
    "\ue000[1](javascript:alert(1))\ue001",
    "<<b>script>alert(1)",
    "<https://evil.example",
    "[a]<b>(javascript:alert(1))",
    "[a]http://evil.example/x(javascript:alert(1))",
    "https://ev[[c-99999999]]il.example/",
    "htt[](x)ps://evil.example",
    "//evil.example/a",
    "127.0.0.1:8080/admin",
    "http://2130706433/",
    "http:evil.example/a",
    "tel:+4930123456",
    "a\rb\rc\n```\nx\n```\n\n[good](javascript:alert(1))\n\n[b](\njavascript:alert(1))",
    "```\r```\r[good]\\\r(javascript:a)[a[b](javascript:c)",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("cites", [True, False])
def test_nothing_that_a_draft_smuggles_is_in_the_report(attack: str, cites: bool) -> None:
    for draft in (attack, f"{CITED}\n\n{attack}\n\n{CITED}", f"- {CITED} {attack} and so on. [[{ID}]]"):
        text, _ = rendered(draft, Found({ID: GOOD}), cites=cites)
        assert dangers(text) == [], text


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_a_title_a_claim_or_a_plan_smuggles_is_in_the_report(attack: str) -> None:
    source = GOOD.source.model_copy(update={"title": attack, "published": attack})
    evil = GOOD.model_copy(update={"claim": attack, "source": source})
    other = evil.model_copy(update={"id": "c-22222222"})
    found = Found(
        {ID: evil, other.id: other},
        [FacetRow(question="q", facet="f", text=attack, needed=2, domains=("good.example",))],
        [Contradiction(question="q", facet="f", first=ID, second=other.id)],
    )
    asked = SubQuestion.model_validate({"id": "q", "question": attack, "facets": [{"id": "f", "text": "f"}]})
    draft = f"# {plain(attack)}\n\n{compiled(ResearchPlan(questions=[asked]), found)}"
    # the words of a page may name a website; they lead to none
    assert set(dangers(rendered(draft, found, cites=True)[0])) <= {"evil.e"}


SIGNS = [
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "!",
    "\\",
    "`",
    "```\n",
    "~~~\n",
    "&",
    ";",
    "#",
    "\r",
    ":",
    "\n",
    "\n\n",
    " ",
    "|",
    "*",
    "^",
]
WORDS = [
    "x",
    "1",
    "[1]",
    "[x]: ",
    "](",
    "javascript:a",
    "img src=x",
    "/a",
    "&#91;",
    "&lt;",
    "&amp;",
    "\\[",
    "\u200b",
    "- ",
]


@given(
    st.lists(st.sampled_from([*SIGNS, *WORDS, f"[[{ID}]]", "[[c-99999999]]", "[[x, y]]", URL]), max_size=24),
    st.booleans(),
)
def test_no_mixture_of_signs_makes_a_link_or_html(parts: list[str], cites: bool) -> None:
    text, _ = rendered("".join(parts), Found({ID: GOOD}), cites=cites)
    assert [each for each in dangers(text) if "open" in each or each.startswith(("image", "html"))] == [], text
    if cites and f"[[{ID}]]" in "".join(parts) and "## Sources" in text:
        # code that does not end would hide what the report adds
        assert any(token.type == "link_open" for token in tokens_of(text)), text


@pytest.mark.parametrize(
    ("draft", "shown"),
    [
        ("Amazon.com sold 3 % more, i.e. R&D of A & B < C.", "Amazon.com sold 3 % more, i.e. R&D of A & B < C."),
        ("AT&amp;T &lt;5 % &mdash; so", "AT&T \\<5 % — so"),
        ("Call `a[0](x)` or `b[1]` in main.py, and/or U.S./UK.", None),
        ("See [the annual report](https://evil.example/r) of it [2].", "See the annual report of it."),
        (f"See {URL}, page 3, or <{URL}>.", f"See {URL}, page 3, or <{URL}>."),
        ("It is 5:30, ratio 3:1, data: none, v1.2.3/4.", "It is 5:30, ratio 3:1, data: none, v1.2.3/4."),
        ("It grew.In 2020 it fell.\n\n- *a* **b** ~~c~~", "It grew.In 2020 it fell.\n\n- *a* **b** ~~c~~"),
        ("```py\nx = a[0](b) < c & d\n```", "```py\nx = a[0](b) < c & d\n```"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    ],
)
def test_plain_words_stay_as_they_are(draft: str, shown: str | None) -> None:
    text, _ = rendered(draft, Found({ID: GOOD}), cites=True)
    parser = MarkdownIt("commonmark")
    assert text == f"{shown}\n" if shown is not None else parser.render(text).count("<code>") == 2


@pytest.mark.parametrize(
    "draft",
    [
        "<div>\nAcme sold 9 million bikes in 2020.\n</div>",
        "<!-- Acme sold 9 million bikes in 2020. -->",
        "[x]: Acme 'sold 9 million bikes in 2020.'",
        "    Acme sold 9 million bikes in 2020.",
    ],
)
def test_what_a_report_shows_as_text_is_held_to_evidence_as_text(draft: str) -> None:
    assert [each.claims for each in sentences(draft) if "9 million" in each.text] == [True]


@pytest.mark.parametrize("sign", ["\\[", "[", "![", "[a](", "A.[", "&", "<", "*", "`", " ", "\t"])
def test_a_model_that_writes_one_sign_for_ever_holds_up_no_worker(sign: str) -> None:
    began = time.process_time()
    rendered((sign * 48_000)[:48_000], Found({ID: GOOD}), cites=True)
    assert time.process_time() - began < 1.5, "Temporal takes a workflow that is silent for two seconds for dead"


def test_a_label_longer_than_any_is_no_link() -> None:
    text, _ = rendered(f"[{'good ' * 200}](javascript:alert(1))", Found({ID: GOOD}), cites=True)
    assert dangers(text) == []
