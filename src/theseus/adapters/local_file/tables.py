"""The tools of data_analytics over the folder `tables`: what is there, and sums, means and counts of it.

A table with a column of the name of one of the task's prompt parameters shows the rows with that value and no others: so a
task with the parameter `profile_id` sees its own profile.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.adapters.local_file.rows import Folder, Row
from theseus.contracts.tools import Effect

LIMIT = timedelta(seconds=30)
MOST_GROUPS = 200

Name = Annotated[str, Field(min_length=1, max_length=100)]
Function = Literal["count", "sum", "mean", "min", "max"]

_FUNCTIONS: Mapping[Function, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
}


class Filter(BaseModel):
    """Which values of a column are taken; dates as 2025-08-01."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Name
    equals: str | None = None
    least: str | None = None
    most: str | None = None

    def takes(self, row: Row) -> bool:
        """Whether the row has such a value."""
        value = row.get(self.column, "")
        return (
            self.equals in (None, value)
            and (self.least is None or not _less(value, self.least))
            and (self.most is None or not _less(self.most, value))
        )


def table_tools(folder: Folder) -> list[Tool]:
    """The tools by which an analyst sees what there is, and asks it."""

    def rows(table: str, context: ToolContext) -> list[Row]:
        known = folder.tables()
        if table not in known:
            raise ToolError(f"There is no table {table!r}. Tables: {', '.join(known) or 'none'}")
        return _own(folder.rows(f"tables/{table}"), context)

    @tool(effect=Effect.READ, timeout=LIMIT)
    def analytics_tables(context: ToolContext) -> JsonValue:
        """Lists the tables of the analytics data, with their columns, how many rows there are, and the first one.

        Args:
            context: who asks
        """
        found = {name: rows(name, context) for name in folder.tables()}
        return {
            name: {"rows": len(of), "columns": list(of[0]) if of else [], "first": dict(of[0]) if of else {}}
            for name, of in found.items()
        }

    @tool(effect=Effect.READ, timeout=LIMIT)
    def analytics_query(
        table: Name,
        context: ToolContext,
        measure: Annotated[str, Field(max_length=100)] = "",
        function: Function = "count",
        group_by: Annotated[tuple[Name, ...], Field(max_length=3)] = (),
        only: Annotated[tuple[Filter, ...], Field(max_length=10)] = (),
    ) -> JsonValue:
        """Counts or computes over rows of a table, by groups.

        Args:
            table: the table's name
            context: who asks
            measure: the column to compute with; none is needed to count
            function: what is computed
            group_by: columns whose values make the groups; none for one figure
            only: which rows are taken, all together: by columns with the value, or the least and greatest value, that they have
        """
        found = rows(table, context)
        wanted = [*group_by, *(each.column for each in only), *([measure] if function != "count" else [])]
        _check(found, wanted)
        found = [row for row in found if all(each.takes(row) for each in only)]
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in found:
            groups.setdefault(tuple(row.get(column, "") for column in group_by), []).append(row)
        told: list[JsonValue] = [
            {**dict(zip(group_by, key, strict=True)), "value": _computed(function, of, measure), "rows": len(of)}
            for key, of in sorted(groups.items())[:MOST_GROUPS]
        ]
        return {"rows": len(found), "groups": len(groups), "result": told}

    return [analytics_tables, analytics_query]


def _own(rows: Sequence[Row], context: ToolContext) -> list[Row]:
    params = context.get("prompt_params")
    wanted = {name: str(value) for name, value in params.items()} if isinstance(params, dict) else {}
    return [row for row in rows if all(row.get(name, value) == value for name, value in wanted.items())]


def _check(rows: Sequence[Row], columns: Iterable[str]) -> None:
    known = list(dict.fromkeys(column for row in rows for column in row))
    if unknown := [column for column in columns if known and column not in known]:
        raise ToolError(f"The table has no column {', '.join(map(repr, unknown))}. Columns: {', '.join(known)}")


def _less(one: str, other: str) -> bool:
    first, second = _number(one), _number(other)
    return first < second if first is not None and second is not None else one < other


def _computed(function: Function, rows: Sequence[Row], measure: str) -> float | int | None:
    if function == "count":
        return len(rows)
    values = [value for row in rows if (value := _number(row.get(measure, ""))) is not None]
    return round(_FUNCTIONS[function](values), 6) if values else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
