"""`make eval`: deep research on planted corpora, a table of its measures for each seed; exit 1 when a goal is missed."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from temporalio.client import Client

from evaluation.measures import histories, measured, parallelism, spending
from evaluation.restarts import restarts
from evaluation.rows import Row, table
from evaluation.side_by_side import gathering
from evaluation.trial import Pace, study, trial
from tests.support.temporal import dev_server
from theseus.contracts.task import Limits

SEEDS = (1, 2, 3, 4, 5)
SHORT = Limits(tokens=60_000)
"""So few tokens that a research cannot look for all that its plan asks for."""
SIDE_BY_SIDE = 8
SLOW = Pace(page=2.0, search=0.5, model=1.0)


async def of_seed(client: Client, seed: int, folder: Path) -> list[Row]:
    """The rows of one corpus: a research that may spend what it wants, and one that is short of tokens."""
    async with study(client, seed, folder) as made:
        done = await trial(made)
        rows = measured(made.corpus, done.outcome, made.script.drafts[-1], made.site.visits)
        short = await trial(made, limits=SHORT.model_dump())
        return [
            *rows,
            *spending(done.outcome, Limits()),
            *spending(short.outcome, SHORT, ", short of tokens"),
            *histories(done.sizes),
        ]


async def of_speed(client: Client, seed: int, folder: Path) -> list[Row]:
    """Eight researchers whose pages take two seconds each."""
    async with study(client, seed, folder, pace=SLOW, questions=SIDE_BY_SIDE, plain=True) as made:
        await trial(made, max_concurrent_agents=SIDE_BY_SIDE, context={"iterative_research_enabled": False})
        seen = gathering(made.requests, SLOW)
        return [parallelism(seen.wall, seen.path, seen.one_by_one)]


async def main(seeds: Sequence[int]) -> int:
    """Prints the rows of each seed, and those that one seed is enough for; 1 when a goal is missed."""
    is_met = True
    async with dev_server() as env:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as name:
                is_met &= _told(f"seed {seed}", await of_seed(env.client, seed, Path(name)))
        with tempfile.TemporaryDirectory() as name:
            is_met &= _told("side by side", await of_speed(env.client, seeds[0], Path(name)))
            is_met &= _told("killed workers", await restarts(env.client, seeds[0], Path(name)))
    return 0 if is_met else 1


def _told(title: str, rows: Sequence[Row]) -> bool:
    print(f"\n{title}\n{table(rows)}", flush=True)
    return all(row.is_met for row in rows)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main([int(word) for word in sys.argv[1:]] or SEEDS)))
