"""The tools of financial_news over `news`: one row a report, filing or message, its column `provider` says which."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field, JsonValue

from theseus.activities.tools.registry import Tool, tool
from theseus.adapters.local_file.rows import Folder, Row, best, one_of
from theseus.contracts.tools import Effect

SEARCHED = ("title", "text", "symbol")
LIMIT = timedelta(seconds=30)
SAMPLES = 5

Words = Annotated[str, Field(max_length=300)]
Symbols = Annotated[list[Annotated[str, Field(min_length=1, max_length=12)]], Field(min_length=1, max_length=20)]
Limit = Annotated[int, Field(ge=1, le=100)]


def news_tools(folder: Folder) -> list[Tool]:
    """The four tools of the role."""

    @tool(effect=Effect.READ, timeout=LIMIT)
    def news_aggregator(query: Words, since: date | None = None, limit: Limit = 20) -> JsonValue:
        """Finds news reports of many publishers by their words.

        Args:
            query: words of the report; empty for the newest
            since: only reports of this day and later
            limit: at most so many reports
        """
        return _told(best(_rows(folder, "news", since), query, SEARCHED, limit))

    @tool(effect=Effect.READ, timeout=LIMIT)
    def alpaca_news(symbols: Symbols, since: date | None = None, limit: Limit = 20) -> JsonValue:
        """Gives market news about securities, the newest first.

        Args:
            symbols: tickers, such as AAPL
            since: only news of this day and later
            limit: at most so many
        """
        return _told(_rows(folder, "alpaca", since, symbols)[:limit])

    @tool(effect=Effect.READ, timeout=LIMIT)
    def sec_filings(symbols: Symbols, form: Words = "", since: date | None = None, limit: Limit = 20) -> JsonValue:
        """Gives filings of companies with the United States' securities regulator, the newest first.

        Args:
            symbols: tickers of the companies
            form: only this kind of filing, such as 10-K or 8-K
            since: only filings of this day and later
            limit: at most so many
        """
        found = _rows(folder, "sec", since, symbols)
        return _told([row for row in found if not form or one_of(row, "form", [form])][:limit])

    @tool(effect=Effect.READ, timeout=LIMIT)
    def twitter_sentiment(symbols: Symbols, since: date | None = None) -> JsonValue:
        """Sums up how people write about securities: -1 is the worst, 1 the best.

        Args:
            symbols: tickers
            since: only messages of this day and later
        """
        found = _rows(folder, "twitter", since, symbols)
        marks = [mark for row in found if (mark := _number(row.get("sentiment", ""))) is not None]
        told: dict[str, JsonValue] = {"messages": len(found), "rated": len(marks)}
        if marks:
            told["mean"] = round(sum(marks) / len(marks), 3)
            told["positive"] = sum(mark > 0 for mark in marks)
            told["negative"] = sum(mark < 0 for mark in marks)
        samples: list[JsonValue] = [dict(row) for row in found[:SAMPLES]]
        return {**told, "samples": samples}

    return [news_aggregator, alpaca_news, sec_filings, twitter_sentiment]


def _rows(folder: Folder, provider: str, since: date | None, symbols: Sequence[str] = ()) -> list[Row]:
    """Those of a provider about these securities, the newest first."""
    found = [row for row in folder.rows("news") if one_of(row, "provider", [provider])]
    found = [row for row in found if not symbols or one_of(row, "symbol", symbols)]
    # ISO dates sort as text
    found = [row for row in found if since is None or row.get("published", "")[:10] >= since.isoformat()]
    return sorted(found, key=lambda row: row.get("published", ""), reverse=True)


def _told(found: Sequence[Row]) -> JsonValue:
    shown: list[JsonValue] = [{name: value for name, value in row.items() if value} for row in found]
    return {"found": len(shown), "items": shown}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
