"""Rendering a text takes bounded time, memory and room, reaches nothing, and tells what was wrong with one text by its id."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from theseus.activities.library.rendering import Rendering
from theseus.contracts.template import Rendered, RenderRequest, TextToRender

WANTED: dict[str, Any] = {"a": "foo", "rows": [1, 2]}


@pytest_asyncio.fixture
async def rendering() -> AsyncIterator[Rendering]:
    async with Rendering() as made:
        yield made


async def render(rendering: Rendering, *sources: Any, **more: Any) -> Rendered:
    texts = tuple(TextToRender(id=f"t{at}", source=source, is_result=True, **more) for at, source in enumerate(sources))
    return await rendering.render(RenderRequest(texts=texts, params=dict(WANTED), task={"query": "q"}))


ATTACKS = {
    "a loop in a loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "a long text": "{{ 'x' * 10**9 }}",
    "a wide text": "{{ 'x'.ljust(10**10) }}",
    "a format": "{{ '%0999999999d' % 1 }}",
    "a text that doubles": "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "a power": "{{ 10 ** (10 ** 9) }}",
    "much output": "{% for i in range(99999) %}0123456789{% endfor %}",
    "much by replacing": "{{ params.a | replace('o', 'p' * 1000000) }}",
    "a large range": "{{ range(10**9) | list }}",
    "the class of a text": "{{ ''['__cl' ~ 'ass__'] }}",
    "the class of a number": "{{ (1)['__cl' ~ 'ass__']['__base__'] }}",
    "a filter by attribute": "{{ [params] | map(attribute='__class__') | list | first | string }}",
    "a change of what was given": "{% set x = params.rows.append(3) %}{{ params.rows }}",
    "a change by way of the type": "{{ dict.update(task, {'query': 'another'}) }}",
    "a removal by way of the type": "{{ dict.clear(params) }}",
    "format of attributes": "{{ '{0.__class__}'.format(params) }}",
    "what is not there": "{{ params.nope.deeper }}",
    "a division": "{{ 1 / 0 }}",
    "no JSON": "{{ 'nope' | fromjson }}",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_ends_soon_and_costs_only_itself(rendering: Rendering, attack: str) -> None:
    began = time.monotonic()
    made = await render(rendering, ATTACKS[attack], "{{ task.query }} goes on")
    assert made.failed.keys() == {"t0"} and made.values == {"t1": "q goes on"}, made
    assert time.monotonic() - began < 30
    assert "class 'dict'" not in made.failed["t0"]


async def test_no_text_changes_what_those_after_it_see(rendering: Rendering) -> None:
    """A filter of the engine adds to a list where it takes it for a text."""
    made = await render(rendering, "{{ params.rows | indent }}", "{{ params.rows | length }} {{ params.a }}")
    assert made.values["t1"] == "2 foo"


async def test_what_the_engine_takes_for_impossible_is_told_as_it_is(rendering: Rendering) -> None:
    made = await render(rendering, "{{ params.a | truncate(1) }}")
    assert "expected length >= 3" in made.failed["t0"]


async def test_texts_that_take_long_are_given_up_together_and_not_one_by_one() -> None:
    """Others wait for their turn meanwhile."""
    slow = ATTACKS["a loop in a loop"]
    began = time.monotonic()
    async with Rendering(step_seconds=3.0) as rendering:
        made = await render(rendering, "first", *(slow for _ in range(10)), "last")
        assert time.monotonic() - began < 9
        assert made.values == {"t0": "first"}
        assert "more than 3 s together" in made.failed["t11"]
        assert (await render(rendering, "next")).values == {"t0": "next"}


async def test_texts_of_one_step_come_to_no_more_than_an_event_of_a_history_holds(rendering: Rendering) -> None:
    made = await render(rendering, *("{{ 'x' * 40000 }}" for _ in range(40)))
    assert 20 < len(made.values) < 40
    assert all("bytes together" in why for why in made.failed.values())
    assert (await render(rendering, "{{ results.get('t39', 'nothing') }}")).values == {"t0": "nothing"}


async def test_a_module_where_the_worker_was_started_is_not_taken_for_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    async with Rendering() as rendering:
        assert (await render(rendering, "fine")).values == {"t0": "fine"}


async def test_a_process_that_hangs_or_dies_is_replaced_within_the_same_request(rendering: Rendering) -> None:
    await render(rendering, "first")
    process = rendering._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    os.kill(process.pid, 9)
    await process.wait()
    made = await render(rendering, "{{ params.a }}")
    assert made.values == {"t0": "foo"}


async def test_the_process_has_nothing_of_the_environment_and_writes_no_file(rendering: Rendering) -> None:
    await render(rendering, "first")
    process = rendering._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    environ = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    assert {line.partition(b"=")[0] for line in environ if line} <= {b"PYTHONPATH", b"PYTHONUTF8"}
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert "Max file size             0" in limits and "Max address space         536870912" in limits


async def test_texts_see_the_results_of_those_before_them(rendering: Rendering) -> None:
    made = await render(rendering, "one", "{{ results.t0 }} two", "{{ results.t1 }} three")
    assert made.values["t2"] == "one two three"


async def test_a_structure_keeps_its_shape_and_lone_expressions_their_type(rendering: Rendering) -> None:
    source = {
        "n": "{{ params.rows | length }}",
        "s": "{{ params.a }}!",
        "l": ["{{ params.rows }}", 3, None],
        "m": "{{ -1 }}",
    }
    made = await render(rendering, source)
    assert made.values["t0"] == {"n": 2, "s": "foo!", "l": [[1, 2], 3, None], "m": -1}


async def test_what_filters_give_is_a_list_where_values_keep_their_type(rendering: Rendering) -> None:
    sources = ["{{ params.rows | map('string') }}", "{{ params.rows | select('odd') }}", "{{ range(2) }}"]
    made = await render(rendering, [*sources, "{{ {'x': 1}.keys() }}", "{{ {'x': 1} | items }}"])
    assert made.values["t0"] == [["1", "2"], [1], [0, 1], ["x"], [["x", 1]]], made.failed


@pytest.mark.parametrize(
    "text",
    [
        "{# note #}{{ params.rows }}",
        "{{ params.rows }}{# note #}",
        " {{- params.rows -}} ",
        "{{ params.rows }}\n",
        "{{ (params.rows) }}",
    ],
)
async def test_a_comment_beside_a_lone_expression_does_not_change_it(rendering: Rendering, text: str) -> None:
    made = await render(rendering, [text, "{{ '}}' }}", "{{ 1 }}{{ 2 }}", "{{ 1 }} {# x #} {{ 2 }}", "{{- -1 }}"])
    assert made.values.get("t0") == [[1, 2], "}}", "12", "1  2", -1], made.failed


async def test_half_a_character_and_what_is_no_number_do_not_reach_the_history(rendering: Rendering) -> None:
    made = await render(
        rendering,
        r"{{ '\ud800' }}!",
        "{{ '[\"\\\\udc00\"]' | fromjson | first }}?",
        ["{{ ('1e99' ~ params.rows[0]) | fromjson }}"],
        ["{{ 1e308 * 10 }}"],
    )
    assert made.values == {"t0": "?!", "t1": "??"}
    assert "not JSON" in made.failed["t2"] and "NameError" in made.failed["t3"]
    Rendered.model_validate_json(made.model_dump_json())


async def test_a_text_is_text_and_space_control_is_kept(rendering: Rendering) -> None:
    made = await render(rendering, "{{ params.rows }}", " a {{- params.a -}} b", "{{ {'x': '<ä>'} | tojson }}")
    assert made.values == {"t0": "[1, 2]", "t1": " afoob", "t2": '{"x": "<ä>"}'}


async def test_large_input_and_line_breaks_of_all_kinds_go_through(rendering: Rendering) -> None:
    request = RenderRequest(
        texts=(TextToRender(id="t", source="{{ results.x | length }}{{ params.s }}"),),
        results={"x": "y" * 3_000_000},
        params={"s": "\u2028\x85\r\n\x00"},
    )
    assert (await rendering.render(request)).values["t"] == "3000000\u2028\x85\r\n\x00"
