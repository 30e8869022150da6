"""Which tenant may use which tools."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from theseus.activities.tools.declarations import ToolFileError, parsed, problems, read_data
from theseus.domain.toolset import fits

EVERYONE_ELSE = "*"
"""Stands for each tenant that is not named."""

_RULES = TypeAdapter(dict[str, tuple[str, ...]])


class Allowance:
    """What each tenant may use.

    Args:
        rules: a tenant's names of tools, or patterns with `*`, by tenant; `*` as a tenant stands for all that are not
            named, and "" for tasks that name none. Who is not covered may use nothing. Absent: everyone may use all.
    """

    def __init__(self, rules: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._rules = rules

    @staticmethod
    def load(setting: str | None) -> "Allowance":
        """The allowance of the setting THESEUS_TENANT_TOOLS: a file's path, or JSON itself.

        Raises:
            ToolFileError: it cannot be read, or is not a list of names by tenant.
        """
        if not setting or not setting.strip():
            return UNLIMITED
        inline = setting.lstrip().startswith("{")
        name = "THESEUS_TENANT_TOOLS" if inline else setting.strip()
        data = parsed(setting.encode(), name) if inline else read_data(Path(name))
        try:
            return Allowance(_RULES.validate_python(data))
        except ValidationError as error:
            raise ToolFileError(f"{name}: {problems(error)}; write a list of tools for each tenant") from error

    def allows(self, tenant_id: str, tool: str) -> bool:
        """Whether the tenant may use the tool."""
        if self._rules is None:
            return True
        return fits(tool, self._rules.get(tenant_id, self._rules.get(EVERYONE_ELSE, ())))


UNLIMITED = Allowance()
"""Everyone may use everything."""
