"""The archive: tasks, usage and events that outlive Temporal's retention and Redis, on any SQL database."""
