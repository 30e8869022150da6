"""The evaluation runs: a real worker researches a planted web from beginning to end, and its measures say how well."""

from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from evaluation.measures import histories, measured
from evaluation.side_by_side import gathering
from evaluation.trial import Pace, study, trial

PACE = Pace(page=0.2, search=0.1, model=0.1)


async def test_a_research_on_a_planted_web_is_measured(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with study(temporal.client, 3, tmp_path, pace=PACE, questions=2, plain=True) as made:
        done = await trial(made)
        rows = {row.name: row for row in measured(made.corpus, done.outcome, made.script.drafts[-1], made.site.visits)}
        seen = gathering(made.requests, PACE)
    assert made.corpus.saturation == 2 and done.outcome.rounds >= 2, (
        "what only links lead to is found in a second round"
    )
    for name in ("M1 claims that cite", "M4 quotes that stand on their page", "M6 planted facts found"):
        assert rows[name].is_met, rows[name]
    assert rows["M5 planted errors that the rules find"].is_met and rows["M10 searches that repeat another"].is_met
    assert 0.4 <= seen.path <= seen.wall and seen.path < seen.one_by_one
    assert len(done.sizes) > 2 and all(row.is_met for row in histories(done.sizes))
