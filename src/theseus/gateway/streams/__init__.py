"""Streams: a task's events to whoever watches it, from Redis while they are kept there, from the archive afterwards."""
