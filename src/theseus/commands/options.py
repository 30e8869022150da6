"""Arguments and options that several commands take."""

from typing import Annotated

import typer


def _not_empty(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise typer.BadParameter("it is empty; is a variable of your script unset?")
    return value


TaskId = Annotated[
    str,
    typer.Argument(metavar="TASK_ID", callback=_not_empty, help="The task's id, which is its workflow's id."),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on stdout.")]
ApprovalId = Annotated[str, typer.Argument(metavar="[APPROVAL_ID]", help="Which one, where several wait.")]
Feedback = Annotated[str, typer.Option("--feedback", help="Why; the task's events keep it.")]
Who = Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the task.")]
