"""Runs the revisions on the connection that it is given, in the transaction of that connection. Alembic executes this file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
