"""Exceptions that are bugs of ours, not errors of the world or of a task."""

BUGS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
"""They fail the task with its last events told, instead of spinning a workflow task for ever."""
