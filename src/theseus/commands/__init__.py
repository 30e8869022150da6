"""The commands of the CLI, one file a theme. Only these, `cli.py`, `doctor.py` and `demo.py` speak to a terminal."""
