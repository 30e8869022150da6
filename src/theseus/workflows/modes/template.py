"""Template mode: work that runs as it is written down."""

from theseus.contracts.errors import ErrorType, StepFailed
from theseus.domain.combining import compiled
from theseus.domain.planning import gaps
from theseus.domain.templates.soundness import needs_model
from theseus.workflows.answer import Answer
from theseus.workflows.conclusion import ran_out, reason_of
from theseus.workflows.patterns.template.asking import allowed, nothing_to_change
from theseus.workflows.patterns.template.play import Play
from theseus.workflows.patterns.template.playing import play_all
from theseus.workflows.patterns.template.rendering import output
from theseus.workflows.run import Run


async def template(run: Run) -> Answer:
    """Approval where one is due, the nodes, the output."""
    play = _opened(run)
    run.plan = play.plan
    nothing_to_change(run)
    if needs_model(play.template):
        run.control.tell_all()
    else:
        run.control.tell_nobody()
    if run.template_state is None:
        await allowed(run, play.template)
    await play_all(run, play)
    run.control.tell_nobody()
    return await _concluded(run, play)


def _opened(run: Run) -> Play:
    if run.template_state is not None:
        return Play.resumed(run, run.template_state)
    assert run.template is not None
    return Play(run, run.template)


async def _concluded(run: Run, play: Play) -> Answer:
    missing = gaps(play.plan)
    text = await _text(run, play, missing)
    if not text.strip():
        raise _nothing(run, missing)
    made, exhausted = play.template, ran_out(run)
    return Answer(
        text=text,
        stop_reason="budget" if exhausted else "answer",
        budget_exhausted=exhausted,
        gaps=missing,
        metadata={
            "template": {"name": made.name, "version": made.version, "content_hash": play.loaded.content_hash},
            "plan": play.plan.model_dump(mode="json"),
            "agents": [record.model_dump(mode="json") for record in run.records()],
        },
    )


def _nothing(run: Run, missing: list[str]) -> StepFailed:
    if not missing:
        return StepFailed(ErrorType.TEMPLATE_INVALID, "all nodes are done, and its output is blank all the same")
    return StepFailed(reason_of(run), f"the template brought no result: {'; '.join(missing)}"[:2000])


async def _text(run: Run, play: Play, missing: list[str]) -> str:
    """The output; what the last nodes brought where the template has none, or where nodes failed that it needs."""
    if play.template.output is None:
        return compiled(play.last())
    rendered = await output(run, play)
    if rendered.values:
        return str(next(iter(rendered.values.values())))
    why = "; ".join(rendered.failed.values())
    if not missing:
        raise StepFailed(ErrorType.TEMPLATE_INVALID, f"the output of the template cannot be rendered: {why}")
    return compiled(play.last())
