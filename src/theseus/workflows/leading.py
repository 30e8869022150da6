"""A lead at work: it recruits, assigns and listens, and decides anew whenever something has happened, until it finishes."""

from datetime import timedelta

from pydantic import JsonValue

from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, DomainError, StepFailed
from theseus.contracts.messages import UserMessage
from theseus.contracts.supervision import Decision
from theseus.domain.combining import with_gaps
from theseus.domain.conversation import Conversation
from theseus.domain.supervision import MOST_IDLE, MOST_ROUNDS, failures
from theseus.roles.lead import LEAD
from theseus.roles.presets import PRESETS
from theseus.workflows.answer import Answer, OverlongTask
from theseus.workflows.conclusion import reason_of
from theseus.workflows.model_calls import ask_on
from theseus.workflows.patterns.synthesis import synthesise
from theseus.workflows.run import Run
from theseus.workflows.supervision import Supervised, as_plan
from theseus.workflows.together import Scope

SHOWN_CHARS = 160


async def lead(run: Run, *, may_go_on: bool = True) -> Answer:
    """The lead decides, the team works, until the lead finishes, or must. `may_go_on`: in a new history, when it is long.

    Raises:
        Denied: a person refused what an agent wanted to do.
        StepFailed: nobody brought a result.
        OverlongTask: the history is long, and nobody is at work.
    """
    state = run.team_state
    run.enter("the lead at work")
    team = Supervised(run, state)
    talk = run.talk(LEAD, facts=_facts(run))
    talk.say(*(state.talk or (UserMessage(text=f"{run.request}\n\nThe team has no agents yet."),)))
    async with Scope(team.tasks):
        return await _lead(run, team, talk, may_go_on=may_go_on)


async def _lead(run: Run, team: Supervised, talk: Conversation, *, may_go_on: bool) -> Answer:
    rounds, idle = run.team_state.rounds, run.team_state.idle_rounds
    patience = timedelta(seconds=run.facts.approvals.timeout_seconds)
    while True:
        if team.is_hopeless:
            return await _conclude(run, team, "half of the assignments failed", gives_up=True)
        if rounds >= MOST_ROUNDS or idle >= MOST_IDLE:
            run.note_degraded(f"the lead did not finish (rounds: {rounds}); its team's results were put together")
            return await _conclude(run, team, "")
        if may_go_on and run.is_history_long and not team.is_busy:
            raise OverlongTask(team.state(talk.messages, rounds, idle))
        rounds += 1
        try:
            decision: Decision = await ask_on(run, talk, LEAD)
        except (StepFailed, AnswerInvalid, BudgetExhausted) as error:
            return await _without_lead(run, team, error)
        finish = await team.carry_out(decision)
        if finish is not None:
            return await _conclude(run, team, "", finish.answer)
        await run.milestones.flush()
        happened = await team.until_something_happens(patience)
        idle = 0 if happened else idle + 1
        news = team.news()
        talk.say(
            UserMessage(text=news if happened else f"Nobody is at work, and nothing is awaited: decide.\n\n{news}")
        )


async def _without_lead(run: Run, team: Supervised, error: DomainError) -> Answer:
    """The lead can say nothing any more: what the team has, and will have when all are done, is the answer."""
    run.enter("the agents at work, without their lead")
    await team.until_all_are_done()
    if not any(finding.is_usable for finding in team.findings):
        raise error
    run.note_degraded(f"the lead gave no decision ({error.message[:200]}); its team's results were put together")
    return await _conclude(run, team, "", exhausted=isinstance(error, BudgetExhausted))


async def _conclude(
    run: Run, team: Supervised, why: str, answer: str = "", *, gives_up: bool = False, exhausted: bool = False
) -> Answer:
    await team.close()
    team.check()
    usable = [finding for finding in team.findings if finding.is_usable]
    failed = failures(team.findings)
    missing = [f"the team was given up: {why}", *failed] if gives_up else []
    if answer.strip() and failed:
        run.note_degraded(f"the lead finished though this failed: {'; '.join(failed)}"[:1000])
    if not answer.strip():
        missing = missing or failed
        if not usable:
            raise StepFailed(reason_of(run), f"the team brought no result: {'; '.join(failed)}"[:2000])
        outcome = await synthesise(run, {f"{f.name} ({n})": f.text for n, f in enumerate(usable, start=1)}, missing)
        answer, exhausted = outcome.text, exhausted or outcome.stop_reason == "budget"
    plan = as_plan(team.findings, team.members)
    return Answer(
        text=with_gaps(answer, missing),
        stop_reason="budget" if exhausted else "answer",
        budget_exhausted=exhausted,
        gaps=missing,
        metadata={
            "agents": [record.model_dump(mode="json") for record in run.records()],
            "plan": plan.model_dump(mode="json"),
        },
    )


def _facts(run: Run) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {"roles": {role.name: role.instructions[:SHOWN_CHARS] for role in PRESETS.values()}}
    return facts | run.shared_facts()
