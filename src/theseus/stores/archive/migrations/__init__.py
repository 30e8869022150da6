"""The revisions that bring a database to the shape of the tables, oldest first; `upgrading.py` runs them."""
