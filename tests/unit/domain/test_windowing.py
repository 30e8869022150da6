"""A session always fits: order and ends are kept, the middle is summarised once, and nothing is summarised without need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.errors import InvalidInput
from theseus.contracts.session import MessageHead, SessionKey, SessionSummary, SessionView
from theseus.contracts.task import TaskContext
from theseus.domain.windowing import (
    LEAST_SUMMARY_TOKENS,
    SUMMARY_NOTE_TOKENS,
    Fit,
    WindowRules,
    fit,
    rules_of,
    summary_of,
    window_of,
    window_tokens,
)

KEY = SessionKey(session_id="s")
RULES = WindowRules()


def view_of(tokens: list[int], *, first: int = 1, summary: SessionSummary | None = None) -> SessionView:
    heads = tuple(
        MessageHead(seq=first + n, role="user" if n % 2 == 0 else "assistant", tokens=size)
        for n, size in enumerate(tokens)
    )
    return SessionView(heads=heads, summary=summary)


def summary(through: int, tokens: int = 200) -> SessionSummary:
    return SessionSummary(text="what was said", tokens=tokens, through_seq=through)


sizes = st.lists(st.one_of(st.integers(0, 400), st.integers(0, 60_000)), max_size=60)
rules = st.builds(
    WindowRules,
    size=st.integers(5, 60),
    primers=st.integers(0, 70),
    recents=st.integers(0, 70),
    trigger=st.floats(0.5, 1.0),
    target=st.floats(0.05, 0.49),
)
summaries = st.one_of(st.none(), st.builds(summary, st.integers(0, 80), st.integers(0, 3_000)))
views = st.builds(view_of, sizes, first=st.integers(1, 30), summary=summaries)
windows = st.integers(1_000, 200_000)
reserves = st.integers(0, 20_000)


def shown(plan: Fit) -> tuple[int, ...]:
    return plan.keep_before + plan.keep_after


@given(views, rules, windows, reserves)
def test_order_is_kept_and_no_message_is_shown_twice_or_made_up(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    plan = fit(view, rules, window, reserved)
    in_view = [head.seq for head in view.heads][-rules.size :]
    for part in (shown(plan), plan.summarise, plan.cut):
        assert list(part) == sorted(set(part))
        assert set(part) <= set(in_view)
    assert not set(shown(plan)) & set(plan.cut)


@given(views, rules, windows, reserves)
def test_every_message_in_view_is_shown_summarised_covered_or_reported_as_cut(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    plan = fit(view, rules, window, reserved)
    covered = plan.summary.through_seq if plan.summary is not None else 0
    for seq in [head.seq for head in view.heads][-rules.size :]:
        assert seq in {*shown(plan), *plan.summarise, *plan.cut} or seq <= covered


@given(views, rules, windows, reserves)
def test_a_session_below_the_trigger_is_shown_whole(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    heads = view.heads[-rules.size :]
    everything = Fit(keep_after=tuple(head.seq for head in heads))
    older = view.summary if heads and heads[0].seq > 1 else None
    plan = fit(view, rules, window, reserved)
    if heads and window_tokens(everything, view, older) + reserved <= int(rules.trigger * window):
        assert plan == Fit(keep_after=everything.keep_after, summary=older)


@given(views, rules, windows, reserves)
def test_a_summary_within_its_budget_brings_the_whole_to_the_target(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    plan = fit(view, rules, window, reserved)
    if not plan.summarise:
        return
    made = summary(max(plan.summarise), plan.summary_budget_tokens)
    total = window_tokens(plan, view, made) + reserved
    pair = sum(head.tokens + 6 for head in view.heads[-2:])
    room_beside_the_pair = int(rules.target * window) - reserved - pair - SUMMARY_NOTE_TOKENS
    limit = rules.target if room_beside_the_pair >= LEAST_SUMMARY_TOKENS else rules.trigger
    assert plan.summary_budget_tokens >= LEAST_SUMMARY_TOKENS
    assert total <= int(limit * window)
    assert plan.summarise_tokens <= window


@given(views, rules, windows, reserves)
def test_the_last_two_messages_stay_whenever_the_model_can_take_them(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    plan = fit(view, rules, window, reserved)
    last = view.heads[-rules.size :][-2:]
    if sum(head.tokens + 6 for head in last) + reserved <= window:
        assert plan.keep_after[-len(last) :] == tuple(head.seq for head in last) if last else plan == Fit()


@given(views, rules, windows, reserves)
def test_an_unchanged_session_is_never_summarised_twice(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    plan = fit(view, rules, window, reserved)
    if not plan.summarise:
        return
    made = summary(max(plan.summarise), plan.summary_budget_tokens)
    again = fit(view.model_copy(update={"summary": made}), rules, window, reserved)
    assert again.summarise == ()
    assert again.summary == made


@given(views, rules, windows, reserves)
def test_the_same_session_is_fitted_the_same_way(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    assert fit(view, rules, window, reserved) == fit(view, rules, window, reserved)


@given(views, rules, windows, reserves)
def test_primers_and_recents_stay_when_they_and_a_summary_fit(
    view: SessionView, rules: WindowRules, window: int, reserved: int
) -> None:
    heads = view.heads[-rules.size :]
    recents = heads[-max(2, rules.recents) :]
    primers = heads[: -len(recents)][: rules.primers] if recents else ()
    room = int(rules.target * window) - reserved - sum(head.tokens + 6 for head in (*primers, *recents))
    plan = fit(view, rules, window, reserved)
    if (
        plan.summarise
        and room >= LEAST_SUMMARY_TOKENS + SUMMARY_NOTE_TOKENS
        and len(primers) + len(recents) < len(heads)
    ):
        assert {head.seq for head in primers} <= set(shown(plan))
        assert {head.seq for head in recents} <= set(plan.keep_after)


def test_the_middle_is_summarised_between_primers_and_recents() -> None:
    plan = fit(view_of([200] * 42), RULES, 11_000, 1_000)
    assert plan.keep_before == (1, 2, 3, 4, 5)
    assert plan.keep_after == tuple(range(28, 43))
    assert plan.summarise == tuple(range(1, 28))
    assert plan.cut == ()


def test_primers_give_way_from_their_end_then_recents_from_the_oldest() -> None:
    some = fit(view_of([200] * 42), RULES, 10_000, 1_000)
    assert some.keep_before == (1, 2, 3)
    assert some.keep_after == tuple(range(28, 43))
    few = fit(view_of([300] * 40), RULES, 8_000, 0)
    assert few.keep_before == ()
    assert few.keep_after == tuple(range(29, 41))


def test_the_next_turn_reuses_the_summary_and_later_summarises_only_what_is_new() -> None:
    window, reserved = 10_000, 1_000
    first = fit(view_of([200] * 40), RULES, window, reserved)
    stored = summary(max(first.summarise), 300)
    next_turn = fit(view_of([200] * 42, summary=stored), RULES, window, reserved)
    assert next_turn.summarise == ()
    assert next_turn.summary == stored
    assert next_turn.keep_before + next_turn.keep_after == (*range(1, 6), *range(stored.through_seq + 1, 43))
    later = fit(view_of([200] * 50, summary=stored), RULES, window, reserved)
    assert later.summary == stored
    assert later.summarise == tuple(range(stored.through_seq + 1, later.keep_after[0]))


def test_a_stored_summary_stands_for_what_is_older_than_the_view() -> None:
    plan = fit(view_of([50] * 50, first=31, summary=summary(28)), RULES, 100_000, 1_000)
    assert plan.summary is not None
    assert plan.keep_after == tuple(range(31, 81))


def test_a_stored_summary_is_not_shown_beside_messages_that_all_fit() -> None:
    assert fit(view_of([50] * 10, summary=summary(6)), RULES, 100_000, 1_000).summary is None


def test_only_the_last_messages_by_rule_are_in_view() -> None:
    assert fit(view_of([10] * 50), WindowRules(size=7), 100_000, 0).keep_after == tuple(range(44, 51))


def test_a_single_huge_message_is_left_out_and_the_rest_goes_on() -> None:
    plan = fit(view_of([100] * 20 + [500_000] + [100] * 20), RULES, 8_000, 500)
    assert plan.cut == (21,)
    assert 21 not in plan.summarise
    assert plan.keep_after[-2:] == (40, 41)


def test_a_last_message_larger_than_the_context_window_is_not_sent() -> None:
    plan = fit(view_of([100, 100, 100, 900_000]), RULES, 8_000, 500)
    assert 4 not in shown(plan)
    assert plan.cut == (4,)


def test_a_summary_too_large_for_the_model_is_made_anew() -> None:
    plan = fit(view_of([200] * 42, summary=summary(20, tokens=7_000)), RULES, 11_000, 1_000)
    assert plan.summary is None
    assert plan.summarise == tuple(range(1, 28))


def test_an_empty_session_gives_no_window() -> None:
    plan = fit(SessionView(), RULES, 8_000, 1_000)
    assert plan == Fit()
    assert window_of(plan, KEY, None) is None


def test_the_window_has_the_summary_in_its_gap() -> None:
    plan = fit(view_of([200] * 40), RULES, 8_000, 1_000)
    made = summary_of(plan, "They compared three boats.")
    window = window_of(plan, KEY, made)
    assert window is not None
    assert (window.before, window.summary, window.after) == (plan.keep_before, made.text, plan.keep_after)
    assert made.through_seq == plan.keep_after[0] - 1


def test_without_a_summary_the_middle_is_left_out() -> None:
    plan = fit(view_of([200] * 40), RULES, 8_000, 1_000)
    window = window_of(plan, KEY, None)
    assert window is not None
    assert window.summary == ""
    assert window_tokens(plan, view_of([200] * 40), None) == 206 * len(shown(plan))


def test_a_summary_longer_than_asked_is_cut_to_its_budget() -> None:
    plan = fit(view_of([200] * 40), RULES, 8_000, 1_000)
    made = summary_of(plan, "The boat was repaired in autumn. " * 2_000)
    assert 0.8 * plan.summary_budget_tokens < made.tokens <= plan.summary_budget_tokens


def test_the_rules_default_to_the_documented_sizes() -> None:
    assert rules_of(TaskContext()) == WindowRules(size=50, primers=5, recents=15, trigger=0.8, target=0.5)


def test_the_debugging_preset_widens_the_window_unless_a_size_is_given() -> None:
    assert rules_of(TaskContext(use_case_preset="debugging")).size == 75
    assert rules_of(TaskContext(use_case_preset="debugging", history_window_size=20)).size == 20


def test_given_counts_and_ratios_are_taken_zero_included() -> None:
    context = TaskContext(
        primers_count=0, recents_count=0, compression_trigger_ratio=0.75, compression_target_ratio=0.375
    )
    assert rules_of(context) == WindowRules(primers=0, recents=0, trigger=0.75, target=0.375)


@pytest.mark.parametrize("trigger, target", [(0.5, 0.5), (None, 0.9), (0.4, None)])
def test_a_target_that_is_not_below_the_trigger_is_refused(trigger: float | None, target: float | None) -> None:
    context = TaskContext(compression_trigger_ratio=trigger, compression_target_ratio=target)
    with pytest.raises(InvalidInput, match="must be below") as refused:
        rules_of(context)
    assert refused.value.field == "context.compression_target_ratio"
