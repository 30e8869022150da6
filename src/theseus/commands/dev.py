"""`theseus dev`: servers, a model, workers and the gateway, all on this machine."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from theseus.commands.terminal import CANNOT_START, CommandError, say
from theseus.config import MOST_PORT, environment, load

Port = Annotated[int, typer.Option(min=0, max=MOST_PORT, help="0 takes a free port.")]


def dev(  # noqa: PLR0913 - one parameter an option
    data_dir: Annotated[Path | None, typer.Option(help="Where all state is kept; default .theseus.")] = None,
    temporal_port: Port = 7233,
    ui_port: Annotated[int, typer.Option(min=0, max=MOST_PORT, help="Temporal's web UI; 0 takes a free port.")] = 8233,
    redis_port: Port = 6379,
    gateway_port: Annotated[int, typer.Option(min=0, max=MOST_PORT, help="REST; 0 takes a free port.")] = 8080,
    with_gateway: Annotated[bool, typer.Option("--gateway/--no-gateway", help="Serve REST and the page.")] = True,
    llm: Annotated[
        Literal["auto", "local", "scripted", "none"],
        typer.Option(help="auto: a provider whose key is set, else the local model."),
    ] = "auto",
    script: Annotated[Path | None, typer.Option(help="What the scripted model says (YAML or JSON).")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 starts the servers alone.")] = 1,
    task_queue: Annotated[str | None, typer.Option(help="What the workers poll; default theseus.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written as JSON when a task can be taken.")] = None,
    database_url: Annotated[
        str | None,
        typer.Option(help="Of the archive; default a file in the data directory, whatever DATABASE_URL says."),
    ] = None,
) -> None:
    """Start servers, a model and workers; Ctrl-C ends it.

    Temporal with its UI, Redis, the local model when no key is set, workers, and the REST API with a page to watch tasks.
    State is kept in the data directory.
    """
    from theseus.activities.llm.catalogue import CatalogueError
    from theseus.activities.llm.scripted import script as scripts
    from theseus.embedded.dev import DevOptions, run_dev
    from theseus.embedded.processes import StartError

    settings = load()
    if script is not None and llm in ("local", "none"):
        raise CommandError(f"--script: has no effect with --llm {llm}", CANNOT_START)
    options = DevOptions(
        data_dir=(data_dir or settings.data_dir).resolve(),
        temporal_port=temporal_port,
        ui_port=ui_port,
        redis_port=redis_port,
        gateway_port=gateway_port if with_gateway else None,
        llm="scripted" if script is not None and llm == "auto" else llm,
        script=script.resolve() if script else None,
        workers=workers,
        task_queue=task_queue or settings.task_queue,
        models_file=settings.models_file,
        ready_file=ready_file.resolve() if ready_file else None,
        database_url=database_url,
    )
    try:
        if options.script is not None:
            scripts.load(options.script)
        run_dev(options, environment(), say)
    except (StartError, CatalogueError, scripts.ScriptError) as error:
        raise CommandError(str(error), CANNOT_START) from error
    except OSError as error:
        raise CommandError(f"{options.data_dir}: {error}", CANNOT_START) from error
