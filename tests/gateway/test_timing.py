"""Temporal runs a schedule when cron says, on a fitting date or weekday, and never more often than what was let through."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from cronsim import CronSim
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleState
from temporalio.testing import WorkflowEnvironment

from theseus.contracts.errors import InvalidInput
from theseus.contracts.schedule import ScheduleDefinition
from theseus.domain.cron import pattern, too_close
from theseus.gateway import timing

START = datetime(2027, 1, 1, tzinfo=UTC)
END = datetime(2028, 3, 1, tzinfo=UTC)
MOST = 300
ZONES = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def defined(expression: str, zone: str = "UTC") -> ScheduleDefinition:
    return ScheduleDefinition(
        name="n", cron_expression=expression, timezone=zone, task_query="q", budget_microusd=1, timeout_seconds=1
    )


async def theirs(temporal: WorkflowEnvironment, definition: ScheduleDefinition, name: str) -> list[datetime]:
    action = ScheduleActionStartWorkflow("Nothing", id="nothing", task_queue="nowhere")
    kept = Schedule(action=action, spec=timing.spec(definition), state=ScheduleState(paused=True))
    handle = await temporal.client.create_schedule(name, kept)
    start, end = Timestamp(), Timestamp()
    start.FromDatetime(START - timedelta(seconds=1))
    end.FromDatetime(END - timedelta(seconds=1))
    asked = ListScheduleMatchingTimesRequest(namespace="default", schedule_id=name, start_time=start, end_time=end)
    told = await temporal.client.workflow_service.list_schedule_matching_times(asked)
    await handle.delete()
    return [each.ToDatetime(UTC) for each in told.start_time][:MOST]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/Bogota"])
async def test_temporal_runs_it_when_cron_says(temporal: WorkflowEnvironment, zone: str) -> None:
    for number, expression in enumerate(
        (
            *("0 9 * * *", "30 2 * * *", "*/30 0-3 14,28,31 3,10,11 *", "0 0 29 2 *", "59 23 31 12 *"),
            *("0 12 13 * 5", "0 12 13 * FRI", "0 12 */5 * 5", "5 4 1 JAN-MAR SUN", "0 0 * * 7", "0 0 1-7 * MON"),
        )
    ):
        runs = CronSim(expression, (START - timedelta(seconds=1)).astimezone(timing.zone_of(zone)))
        meant: list[datetime] = []
        while len(meant) < MOST and (run := next(runs).astimezone(UTC)) < END:
            meant.append(run)
        assert meant and await theirs(temporal, defined(expression, zone), f"meant-{number}-{zone[-4:]}") == meant, (
            expression
        )


@pytest.mark.parametrize("zone", ZONES)
async def test_temporal_never_runs_it_more_often_than_what_was_let_through(
    temporal: WorkflowEnvironment, zone: str
) -> None:
    chance = Random(zone)
    tried = refused = 0
    for number in range(60):
        minute = chance.choice(["0", "15", "30", "0,30", "5,40", "*/20", "59"])
        hour = chance.choice(["*", "2", "1-3", "0,2", "1,3", "2,3", "0,23", "1,2", "*/2", "0"])
        cron, least = (
            pattern(f"{minute} {hour} 2-8,13-15,26-31 3,4,10,11 *"),
            timedelta(minutes=chance.randint(10, 150)),
        )
        if too_close(cron, timing.zone_of(zone), date(2027, 1, 1), least) is not None:
            refused += 1
            continue
        tried += 1
        runs = await theirs(temporal, defined(cron.expression, zone), f"often-{number}-{zone.replace('/', '-')}")
        closest = min(second - first for first, second in pairwise(runs))
        assert closest >= least, f"{cron.expression} in {zone}: {least} was let through, {closest} it is"
    assert tried > 5 and refused > 5, "some of each"


@pytest.mark.parametrize(
    "name", ["", "localtime", "Factory", "Local", "europe/berlin", "Europe", "../UTC", "/etc/passwd", "UTC\0"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="timezone"):
        timing.zone_of(name)


def test_what_is_too_often_is_told_with_the_times_that_show_it() -> None:
    with pytest.raises(InvalidInput, match=r"00:00 and .* 00:59 Europe/Berlin; at least 60 minutes"):
        timing.check(defined("0,59 0,23 * * *", "Europe/Berlin"), timedelta(hours=1))
