"""Cron expressions: what they mean, and the shortest time that can lie between two of their runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cronsim import CronSim, CronSimError

from theseus.contracts.errors import InvalidInput

MOST_CHARS = 100
CYCLE = timedelta(days=28 * 365 + 7)
"""After so long, weekdays, dates and leap days come in the same order again."""
_DAY = timedelta(days=1)
_FIELDS = 5
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True)
class Pattern:
    """A cron expression, read. Weekdays count from 0, Sunday; `either_day`: a fitting date or a fitting weekday is enough."""

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool

    @property
    def times(self) -> list[time]:
        """The times of a day that fits, in their order."""
        return [time(hour, minute) for hour in self.hours for minute in self.minutes]

    def fits(self, day: date) -> bool:
        """Whether it runs on that day."""
        is_date, is_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        is_day = is_date or is_weekday if self.either_day else is_date and is_weekday
        return is_day and day.month in self.months


@dataclass(frozen=True)
class Close:
    """Two runs that follow each other, at the place of the schedule."""

    first: datetime
    second: datetime

    @property
    def gap(self) -> timedelta:
        """What lies between them."""
        return self.second.astimezone(UTC) - self.first.astimezone(UTC)


def pattern(expression: str) -> Pattern:
    """Reads a cron expression of five fields (minute, hour, day of month, month, day of week), or a name such as @daily.

    Raises:
        InvalidInput: it is none.
    """
    given = " ".join(expression.split())
    fields = _NAMED.get(given.lower(), given)
    if len(given) > MOST_CHARS or len(fields.split()) != _FIELDS:
        raise _wrong(given, "it has to have five fields: minute, hour, day of month, month, day of week")
    try:
        read = CronSim(fields, _ANY_TIME)
    except CronSimError as error:
        raise _wrong(given, str(error)) from error
    dates, weekdays = set[object](read.days), set[object](read.weekdays)
    if not all(isinstance(day, int) and day >= 0 for day in dates | weekdays):
        raise _wrong(given, "L, LW and # are not understood")
    return Pattern(
        expression=given,
        minutes=tuple(sorted(read.minutes)),
        hours=tuple(sorted(read.hours)),
        days=tuple(sorted(read.days)),
        months=tuple(sorted(read.months)),
        weekdays=tuple(sorted({day % 7 for day in read.weekdays if isinstance(day, int)})),
        either_day=not read.day_and,
    )


def too_close(cron: Pattern, zone: tzinfo, start: date, least: timedelta) -> Close | None:
    """The first two runs that are closer than `least`, over a whole cycle of the calendar and all changes of the clock in it.

    A time that a change of the clock leaves out does not run; one that it brings twice runs twice.

    Raises:
        InvalidInput: it never runs.
    """
    last: datetime | None = None
    for moment in _telling_runs(cron, zone, start):
        if last is not None and moment - last < least:
            return Close(_at(last, zone), _at(moment, zone))
        last = moment
    if last is None:
        raise _wrong(cron.expression, "it never runs")
    return None


def _telling_runs(cron: Pattern, zone: tzinfo, start: date) -> Iterator[datetime]:
    """Runs in UTC, without its mark: all of the first day and of days on which the clock changes, else first and last."""
    times = cron.times
    ends = list(dict.fromkeys((times[0], times[-1])))
    is_first = True
    for n in range(CYCLE.days):
        day = start + n * _DAY
        if not cron.fits(day):
            continue
        offset = _offset(day, zone)
        if offset == _offset(day + _DAY, zone):
            yield from (datetime.combine(day, each) - offset for each in (times if is_first else ends))
            is_first = False
        else:
            yield from sorted({moment for each in times for moment in _moments(datetime.combine(day, each), zone)})


def _offset(day: date, zone: tzinfo) -> timedelta:
    return datetime.combine(day, time(), zone).utcoffset() or timedelta()


def _moments(local: datetime, zone: tzinfo) -> Iterator[datetime]:
    """When a clock shows this: once, twice, or never."""
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == local:
            yield moment.replace(tzinfo=None)


def _at(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(zone)


def _wrong(expression: str, why: str) -> InvalidInput:
    shown = expression[:MOST_CHARS]
    return InvalidInput(f"cron_expression: '{shown}' cannot be used: {why}", field="cron_expression")
