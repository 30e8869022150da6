"""No schedule runs more often than it may, on any day: bursts, midnights, leap days and changes of the clock are seen."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from theseus.contracts.errors import InvalidInput
from theseus.domain.cron import pattern, too_close

HOUR = timedelta(hours=1)
START = date(2026, 11, 23)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/59 * * * *",
        "0,1 9 * * *",
        "0,59 23 * * *",
        "0,30 0,23 1 * *",
        "0,1 0 29 2 *",
        "0,59 0 13 * 5",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_pattern_that_ever_runs_twice_within_an_hour_is_found(expression: str, zone: str) -> None:
    close = too_close(pattern(expression), ZoneInfo(zone), START, HOUR)
    assert close is not None and timedelta() < close.gap < HOUR


@pytest.mark.parametrize(
    "expression", ["0 * * * *", "0 9 * * 1-5", "30 2 * * *", "@daily", "0 0 29 2 *", "0 0,1 * * *"]
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_a_pattern_with_an_hour_between_its_runs_is_let_through(expression: str, zone: str) -> None:
    assert too_close(pattern(expression), ZoneInfo(zone), START, HOUR) is None


def test_the_pair_of_the_last_run_of_a_day_and_the_first_of_the_next_is_seen() -> None:
    close = too_close(pattern("0 0,23 * * *"), UTC, START, 2 * HOUR)
    assert close is not None and close.gap == HOUR
    assert too_close(pattern("0 0,23 1 * *"), UTC, START, 2 * HOUR) is None, "the day after does not run"
    assert too_close(pattern("0 0,23 1,31 * *"), UTC, START, 2 * HOUR) is not None, "31st and 1st follow each other"


def test_changes_of_the_clock_are_seen() -> None:
    # in March it jumps from 2 to 3: an hour instead of two lies between 1:00 and 3:00
    close = too_close(pattern("0 1,3 * * *"), BERLIN, START, 2 * HOUR)
    assert close is not None and close.gap == HOUR and close.first.date() == date(2027, 3, 28)
    # in March 3:00 comes an hour after 1:00: a day after 9:00 it is 9:00 within 23 hours
    close = too_close(pattern("0 9 * * *"), BERLIN, START, 24 * HOUR)
    assert close is not None and close.gap == 23 * HOUR and close.second.date() == date(2027, 3, 28)
    # in October it goes back from 3 to 2: 2:15 comes twice
    close = too_close(pattern("15 2 * 10 *"), BERLIN, START, 2 * HOUR)
    assert close is not None and close.gap == HOUR and close.first.date() == date(2027, 10, 31)
    # what is far from it comes once
    assert too_close(pattern("15 9 * 10 *"), BERLIN, START, 24 * HOUR) is None
    # what March leaves out does not run
    close = too_close(pattern("30 1,2,3 * 3 *"), BERLIN, START, HOUR)
    assert close is None


def test_what_is_seldom_is_found_within_the_cycle() -> None:
    # a date or a weekday: the 29th of February follows a Friday once in 28 years
    close = too_close(pattern("0 12 29 2 5"), UTC, START, timedelta(days=2))
    assert close is not None and close.gap == timedelta(days=1)


def test_what_never_runs_is_refused() -> None:
    with pytest.raises(InvalidInput, match="31 2"):
        too_close(pattern("0 0 31 2 *"), UTC, START, HOUR)


@pytest.mark.parametrize(
    "expression",
    [
        *("", "x", "0 9 * *", "0 0 9 * * *", "60 * * * *", "0 24 * * *", "0 9 L * *", "0 9 * * 1#2", "@every 1m"),
        *("0 9 * * " + "1" * 200, "*/0 * * * *", "5-1 * * * *", "CRON_TZ=UTC 0 9 * * *", "0 9 * * \u0661"),
    ],
)
def test_what_is_no_cron_expression_is_refused_with_its_name(expression: str) -> None:
    with pytest.raises(InvalidInput, match="cron_expression"):
        pattern(expression)


FIELD = st.sampled_from(["*", "*/2", "*/7", "0", "1", "5,6", "1-3"])


@settings(max_examples=60, deadline=None)
@given(FIELD, FIELD, FIELD, FIELD, FIELD)
def test_days_and_times_are_those_that_cron_means(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    day, month = day.replace("0", "10"), month.replace("0", "10")
    read = pattern(f"{minute} {hour} {day} {month} {weekday}")
    runs = CronSim(read.expression, datetime(2027, 1, 1, tzinfo=UTC))
    for _ in range(20):
        run = next(runs)
        assert read.fits(run.date()) and run.time() in read.times
    fitting = sum(read.fits(date(2027, 1, 1) + timedelta(days=n)) for n in range(31))
    seen = {run.date() for run in _within(read.expression)}
    assert fitting == len(seen)


def _within(expression: str) -> list[datetime]:
    runs, found = CronSim(expression, datetime(2026, 12, 31, 23, 59, tzinfo=UTC)), list[datetime]()
    while (run := next(runs)) < datetime(2027, 2, 1, tzinfo=UTC):
        found.append(run)
    return found
