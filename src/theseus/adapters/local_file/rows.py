"""Rows of CSV and JSON files, read anew at each call, and found by their words."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from theseus.activities.tools.registry import ToolError

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
KINDS = (".json", ".csv")

_WORD = re.compile(r"\w+")

Row = Mapping[str, str]


class Folder:
    """A folder of data files.

    Args:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        """Whether there is a file of that name, as JSON or as CSV."""
        return any((self._path / f"{name}{kind}").is_file() for kind in KINDS)

    def tables(self) -> list[str]:
        """The names of the files in the folder `tables`, without their endings."""
        found = (path for path in (self._path / "tables").glob("*") if path.suffix in KINDS and path.is_file())
        return sorted({path.stem for path in found})

    def rows(self, name: str) -> list[Row]:
        """The rows of a file, every value as text.

        Raises:
            ToolError: it is gone, too large, or not such a file.
        """
        path = next((each for kind in KINDS if (each := self._path / f"{name}{kind}").is_file()), None)
        if path is None:
            raise ToolError(f"The vendor's data has no {name} any more. Go on without it.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ToolError(
                f"{path.name} is larger than {MAX_FILE_BYTES} bytes, the most that is read. Tell the operator."
            )
        try:
            text = path.read_text(encoding="utf-8-sig")
            found = _of_json(text) if path.suffix == ".json" else list(csv.DictReader(io.StringIO(text, newline="")))
        except (OSError, ValueError, csv.Error) as error:
            raise ToolError(f"{path.name} cannot be read: {error}. Tell the operator.") from error
        if len(found) > MAX_ROWS:
            raise ToolError(f"{path.name} has more than {MAX_ROWS} rows, the most that is read. Tell the operator.")
        return [{str(key): _text(value) for key, value in row.items() if key is not None} for row in found]


def _of_json(text: str) -> list[Mapping[Any, Any]]:
    data: Any = json.loads(text)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in cast("list[Any]", data)):
        raise ValueError("it is not an array of objects")
    return cast("list[Mapping[Any, Any]]", data)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def one_of(row: Row, column: str, wanted: Iterable[str]) -> bool:
    """Whether one of the comma-separated values of a column is wanted, whatever the case of its letters."""
    values = {value.strip().casefold() for value in row.get(column, "").split(",")}
    return bool(values & {value.strip().casefold() for value in wanted})


def best(rows: Iterable[Row], words: str, columns: Sequence[str], limit: int) -> list[Row]:
    """Rows with any of the words in these columns, those with most of them first; without words the first rows."""
    wanted = set(_WORD.findall(words.casefold()))
    if not wanted:
        return list(rows)[:limit]
    scored = [(len(wanted & _words(row, columns)), row) for row in rows]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return [row for score, row in scored if score][:limit]


def _words(row: Row, columns: Sequence[str]) -> set[str]:
    return set(_WORD.findall(" ".join(row.get(column, "") for column in columns).casefold()))
