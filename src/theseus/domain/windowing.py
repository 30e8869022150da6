"""Fits a session into a model's context window: which messages stay, which are summarised, which stored summary serves.

Nothing happens while the messages in view stay below the trigger; a stored summary then only stands for what is older
than the view. Above the trigger the first messages (primers) and the last (recents) stay and a summary stands between
them: the stored one together with all that is newer, as long as that is below the trigger; else a new one, made from
the stored one and what it does not cover, so small that the whole comes to the target. A summary covers everything up
to its `through_seq`, primers too: they move out of view in time, and would else be lost.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from theseus.contracts.errors import InvalidInput
from theseus.contracts.session import MessageHead, SessionKey, SessionSummary, SessionView, Window
from theseus.contracts.task import TaskContext
from theseus.domain.tokens import MESSAGE_TOKENS, estimate

PRESET_SIZES = {"debugging": 75}
SUMMARY_NOTE_TOKENS = 32
"""What introduces a summary to a model."""
LEAST_SUMMARY_TOKENS = 128
"""A summary with less room says nothing; primers and recents give way to it."""
MOST_SUMMARY_TOKENS = 2_000
_SUMMARY_SHARE, _STORED_SHARE, _SUMMARISE_SHARE = 0.125, 0.15, 0.6
"""Most of the context window that a new summary, a stored one (perhaps another model's) and the messages to be
summarised may take: one call has to hold all three."""
_LAST_PAIR = 2

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class WindowRules:
    """Sizes in messages; trigger and target as shares of the model's context window."""

    size: int = 50
    primers: int = 5
    recents: int = 15
    trigger: float = 0.8
    target: float = 0.5


@dataclass(frozen=True)
class Fit:
    """How a session fits. All tuples hold message numbers (`seq`), ascending; no message is in both kept parts.

    `summary` is the stored one that is reused: shown as it is when `summarise` is empty, else given to the model that
    summarises. `summarise` may hold kept primers. `cut` is what the model sees in no form, for want of room.
    """

    keep_before: tuple[int, ...] = ()
    summarise: tuple[int, ...] = ()
    keep_after: tuple[int, ...] = ()
    cut: tuple[int, ...] = ()
    summary: SessionSummary | None = None
    summary_budget_tokens: int = 0
    summarise_tokens: int = 0
    """Input of the call that summarises: its messages and the stored summary."""


def rules_of(context: TaskContext) -> WindowRules:
    """The window rules that a task asks for.

    Raises:
        InvalidInput: the target is not below the trigger.
    """
    rules = WindowRules()
    preset = PRESET_SIZES.get(context.use_case_preset or "", rules.size)
    rules = WindowRules(
        size=_given(context.history_window_size, preset),
        primers=_given(context.primers_count, rules.primers),
        recents=_given(context.recents_count, rules.recents),
        trigger=_given(context.compression_trigger_ratio, rules.trigger),
        target=_given(context.compression_target_ratio, rules.target),
    )
    if rules.target >= rules.trigger:
        raise InvalidInput(
            f"context.compression_target_ratio: {rules.target:g} must be below "
            f"context.compression_trigger_ratio, which is {rules.trigger:g}",
            field="context.compression_target_ratio",
        )
    return rules


def fit(view: SessionView, rules: WindowRules, context_window_tokens: int, reserved_tokens: int) -> Fit:
    """Fits the last messages of a session beside `reserved_tokens` (prompt, query, answer) into a context window.

    Too large primers give way from their end, then recents from the oldest; the last two messages stay as long as the
    model can take them at all.
    """
    heads = tuple(sorted(view.heads, key=lambda head: head.seq))[-rules.size :]
    if not heads:
        return Fit()
    return _Fitting(heads, view.summary, rules, context_window_tokens, reserved_tokens).best()


def window_of(plan: Fit, key: SessionKey, summary: SessionSummary | None) -> Window | None:
    """The window that a model gets, with `summary` in the gap; without one the gap is empty. None: nothing to show."""
    if not plan.keep_before and not plan.keep_after and summary is None:
        return None
    return Window(
        session=key,
        before=plan.keep_before,
        summary=summary.text if summary is not None else "",
        after=plan.keep_after,
    )


def window_tokens(plan: Fit, view: SessionView, summary: SessionSummary | None) -> int:
    """Estimated tokens of the window that `window_of` gives for the same arguments."""
    kept = {*plan.keep_before, *plan.keep_after}
    return _tokens(head for head in view.heads if head.seq in kept) + _summary_tokens(summary)


def summary_of(plan: Fit, text: str) -> SessionSummary:
    """The summary that a model wrote for `plan.summarise`, cut to the plan's budget where the model wrote too much."""
    tokens = estimate(text)
    while tokens > plan.summary_budget_tokens > 0:
        text = text[: min(len(text) - 1, len(text) * plan.summary_budget_tokens // tokens)].rstrip()
        tokens = estimate(text)
    return SessionSummary(text=text, tokens=tokens, through_seq=max(plan.summarise))


@dataclass(frozen=True)
class _Shape:
    """A way to keep the view's two ends, and the middle that is left."""

    before: Sequence[MessageHead]
    middle: Sequence[MessageHead]
    after: Sequence[MessageHead]

    @property
    def kept_tokens(self) -> int:
        return _tokens(self.before) + _tokens(self.after)


@dataclass
class _Fitting:
    """One fit under way: what is given, and the arithmetic on it."""

    heads: Sequence[MessageHead]
    stored: SessionSummary | None
    rules: WindowRules
    window: int
    reserved: int
    through: int = field(init=False, default=0)

    def best(self) -> Fit:
        """The first plan that works, from the one that keeps most to the one that keeps least."""
        if (plan := self._whole()) is not None:
            return plan
        if self.stored is not None and self.stored.tokens > _STORED_SHARE * self.window:
            self.stored = None
        self.through = self.stored.through_seq if self.stored is not None else 0
        for shape in self._shapes():
            plan = self._reuse(shape) or self._summarise(shape, self.rules.target)
            if plan is not None:
                return plan
        return self._least()

    def _whole(self) -> Fit | None:
        older = self.stored if self.heads[0].seq > 1 else None
        if _tokens(self.heads) + _summary_tokens(older) > self._room(self.rules.trigger):
            return None
        return Fit(keep_after=_seqs(self.heads), summary=older)

    def _shapes(self) -> Iterator[_Shape]:
        count = len(self.heads)
        recents = min(max(self.rules.recents, _LAST_PAIR), count)
        primers = min(self.rules.primers, count - recents)
        for left in range(primers, -1, -1):
            yield self._shape(left, recents)
        for left in range(recents - 1, _LAST_PAIR - 1, -1):
            yield self._shape(0, left)

    def _shape(self, primers: int, recents: int) -> _Shape:
        end = len(self.heads) - recents
        return _Shape(self.heads[:primers], self.heads[primers:end], self.heads[end:])

    def _reuse(self, shape: _Shape) -> Fit | None:
        if self.stored is None:
            return None
        new = [head for head in shape.middle if head.seq > self.through]
        room = self._room(self.rules.trigger) - shape.kept_tokens - _summary_tokens(self.stored)
        if _tokens(new) <= room:
            return Fit(keep_before=_seqs(shape.before), keep_after=_seqs([*new, *shape.after]), summary=self.stored)
        if room >= 0 and not self._summarisable(shape):
            return Fit(_seqs(shape.before), keep_after=_seqs(shape.after), cut=_seqs(new), summary=self.stored)
        return None

    def _summarise(self, shape: _Shape, ratio: float) -> Fit | None:
        room = self._room(ratio) - shape.kept_tokens - SUMMARY_NOTE_TOKENS
        chosen = self._summarisable(shape)
        if room < LEAST_SUMMARY_TOKENS or not chosen:
            return None
        asked = _tokens(chosen) + _summary_tokens(self.stored)
        most = min(MOST_SUMMARY_TOKENS, int(_SUMMARY_SHARE * self.window), asked // 2)
        covered = {head.seq for head in chosen}
        return Fit(
            keep_before=_seqs(shape.before),
            summarise=_seqs(chosen),
            keep_after=_seqs(shape.after),
            cut=tuple(head.seq for head in shape.middle if head.seq > self.through and head.seq not in covered),
            summary=self.stored,
            summary_budget_tokens=min(room, max(LEAST_SUMMARY_TOKENS, most)),
            summarise_tokens=asked,
        )

    def _summarisable(self, shape: _Shape) -> list[MessageHead]:
        """What a summary would be made of, newest first chosen; nothing when that has no message of the middle."""
        room = int(_SUMMARISE_SHARE * self.window)
        chosen: list[MessageHead] = []
        for head in reversed([*shape.before, *shape.middle]):
            if head.seq > self.through and _tokens([head]) <= room:
                room -= _tokens([head])
                chosen.append(head)
        first = shape.middle[0].seq if shape.middle else 0
        return chosen[::-1] if chosen and 0 < first <= chosen[0].seq else []

    def _least(self) -> Fit:
        after = list(self.heads[-_LAST_PAIR:])
        while after and _tokens(after) > self._room(1):
            after.pop(0)
        shape = _Shape((), self.heads[: len(self.heads) - len(after)], after)
        if (plan := self._summarise(shape, self.rules.trigger)) is not None:
            return plan
        stored = self.stored if shape.kept_tokens + _summary_tokens(self.stored) <= self._room(1) else None
        covered = stored.through_seq if stored is not None else 0
        lost = [head for head in shape.middle if head.seq > covered]
        return Fit(keep_after=_seqs(after), cut=_seqs(lost), summary=stored)

    def _room(self, ratio: float) -> int:
        return int(ratio * self.window) - self.reserved


def _given(value: Number | None, default: Number) -> Number:
    return default if value is None else value


def _tokens(heads: Iterable[MessageHead]) -> int:
    return sum(MESSAGE_TOKENS + max(0, head.tokens) for head in heads)


def _summary_tokens(summary: SessionSummary | None) -> int:
    return 0 if summary is None else SUMMARY_NOTE_TOKENS + max(0, summary.tokens)


def _seqs(heads: Iterable[MessageHead]) -> tuple[int, ...]:
    return tuple(head.seq for head in heads)
