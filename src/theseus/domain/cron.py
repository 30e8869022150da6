"""Cron expressions: what they mean, and the shortest time that can lie between two of their runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cronsim import CronSim, CronSimError

from theseus.contracts.errors import InvalidInput

MOST_CHARS = 100
CYCLE = timedelta(days=28 * 365 + 7)
"""After so long, weekdays, dates and leap days come in the same order again."""
_DAY = timedelta(days=1)
_FINEST = timedelta(minutes=1)
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
    """The first two runs that may be closer than `least`, over a whole cycle of the calendar with all changes of the clock.

    What runs in an hour that a clock shows twice, or leaves out, is for Temporal to say, which is of several minds: both
    readings of such a time are taken for runs.

    Raises:
        InvalidInput: it never runs.
    """
    last: datetime | None = None
    for moment in _telling_runs(cron, zone, start):
        if last is not None and moment - last < least:
            return Close(last.astimezone(zone), moment.astimezone(zone))
        last = moment
        if least <= _FINEST:
            break
    if last is None:
        raise _wrong(cron.expression, "it never runs")
    return None


def _telling_runs(cron: Pattern, zone: tzinfo, start: date) -> Iterator[datetime]:
    """Runs that tell how close any two are: all of the first day and around changes of the clock, else first and last of a day."""
    times = cron.times
    ends = list(dict.fromkeys((times[0], times[-1])))
    is_first = True
    changing: set[datetime] = set()
    for n in range(CYCLE.days):
        day = start + n * _DAY
        if not cron.fits(day):
            continue
        if _offset(day - _DAY, zone) != _offset(day + 2 * _DAY, zone):
            changing.update(_readings(day, times, zone))
            continue
        yield from sorted(changing)
        changing.clear()
        offset = _offset(day, zone)
        yield from (_utc(datetime.combine(day, each) - offset) for each in (times if is_first else ends))
        is_first = False
    yield from sorted(changing)


def _readings(day: date, times: Iterable[time], zone: tzinfo) -> Iterator[datetime]:
    """Times of a day around a change of the clock; those near it are read by the clock before it and by the one after."""
    before, after = _offset(day - _DAY, zone), _offset(day + 2 * _DAY, zone)
    change = _change(day - _DAY, zone)
    begins, near = change + min(before, after), 2 * abs(after - before)
    for each in times:
        local = datetime.combine(day, each)
        if abs(_utc(local) - begins) <= near:
            yield from (_utc(local - before), _utc(local - after))
        else:
            yield local.replace(tzinfo=zone).astimezone(UTC)


def _change(day: date, zone: tzinfo) -> datetime:
    """When, to the minute, the clock changes within the three days from this one."""
    low, high = _utc(datetime.combine(day, time()) - _DAY / 2), _utc(datetime.combine(day, time()) + 4 * _DAY)
    old = low.astimezone(zone).utcoffset()
    while high - low > _FINEST:
        middle = low + (high - low) / 2
        is_old = middle.astimezone(zone).utcoffset() == old
        low, high = (middle, high) if is_old else (low, middle)
    return high


def _offset(day: date, zone: tzinfo) -> timedelta:
    return datetime.combine(day, time(), zone).utcoffset() or timedelta()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _wrong(expression: str, why: str) -> InvalidInput:
    shown = expression[:MOST_CHARS]
    return InvalidInput(f"cron_expression: '{shown}' cannot be used: {why}", field="cron_expression")
