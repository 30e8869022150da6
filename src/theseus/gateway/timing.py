"""When a schedule runs: its cron expression and time zone checked, and as Temporal is told them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from temporalio.client import (
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from theseus.contracts.errors import InvalidInput
from theseus.contracts.schedule import Overlap, ScheduleDefinition
from theseus.domain import cron

LATEST = timedelta(minutes=10)
"""A run that could not start for so long, because Temporal was away, is left out: nobody wants a day of them at once."""
_NO_PLACES = frozenset({"localtime", "Factory"})
_OVERLAPS = {
    Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    Overlap.BUFFER_ONE: ScheduleOverlapPolicy.BUFFER_ONE,
    Overlap.CANCEL_OTHER: ScheduleOverlapPolicy.CANCEL_OTHER,
    Overlap.ALLOW_ALL: ScheduleOverlapPolicy.ALLOW_ALL,
}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in _zones():
        words = f"timezone: there is no time zone {name[:64]!r}; give a name such as Europe/Berlin or UTC"
        raise InvalidInput(words, field="timezone")
    return ZoneInfo(name)


def check(definition: ScheduleDefinition, least: timedelta) -> None:
    """Blocks for up to half a second.

    Raises:
        InvalidInput: its times are none, never come, or come more often than every `least`.
    """
    read, zone = cron.pattern(definition.cron_expression), zone_of(definition.timezone)
    close = cron.too_close(read, zone, datetime.now(zone).date(), least)
    if close is not None:
        raise InvalidInput(
            f"cron_expression: {read.expression!r} runs too often: at {close.first:%Y-%m-%d %H:%M} and "
            f"{close.second:%Y-%m-%d %H:%M} {definition.timezone}; {_words(least)} have to lie between two runs",
            field="cron_expression",
        )


def spec(definition: ScheduleDefinition) -> ScheduleSpec:
    """Its times as calendars: Temporal's own cron wants a fitting date and a fitting weekday where cron takes either."""
    read = cron.pattern(definition.cron_expression)
    every_day, every_weekday = tuple(range(1, 32)), tuple(range(7))
    days = [(read.days, read.weekdays)]
    if read.either_day:
        days = [(read.days, every_weekday), (every_day, read.weekdays)]
    return ScheduleSpec(
        calendars=[
            ScheduleCalendarSpec(
                minute=_ranges(read.minutes),
                hour=_ranges(read.hours),
                day_of_month=_ranges(dates),
                month=_ranges(read.months),
                day_of_week=_ranges(weekdays),
            )
            for dates, weekdays in days
        ],
        time_zone_name=definition.timezone,
    )


def policy(definition: ScheduleDefinition) -> SchedulePolicy:
    """What becomes of runs that meet or that come late."""
    return SchedulePolicy(overlap=_OVERLAPS[definition.overlap], catchup_window=LATEST)


def _ranges(numbers: Iterable[int]) -> list[ScheduleRange]:
    return [ScheduleRange(number) for number in numbers]


def _words(least: timedelta) -> str:
    minutes = least.total_seconds() / 60
    return f"at least {minutes:g} minutes"
