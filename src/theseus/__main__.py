"""The console script. It imports nothing before it can say why: Ctrl-C in the first moments ends it quietly."""

import os


def main() -> None:
    """Runs the command line."""
    try:
        from theseus.cli import main as command_line
    except KeyboardInterrupt:
        os._exit(130)
    command_line()


if __name__ == "__main__":
    main()
