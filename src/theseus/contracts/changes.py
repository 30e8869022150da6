"""Changes of what workflows do, by name: a task does what was known when it began. Inner contract.

A name stays until no task can be alive that began without it; then it goes, with what was done before.
"""

NAMED_ROLE = "named-role-binds-the-team"
"""The lead of a task with a role recruits agents of that role alone."""
FACET_ROOM = "a-facet-has-room-for-so-much-evidence"
CAPPED_CALLS = "calls-of-a-researcher-end-within-a-reply"
THREE_ROUNDS = "three-rounds-without-a-strategy"
REVIEWERS_CHOICE = "a-reviewer-may-leave-out-a-requirement"
DENIED_MENDED = "what-a-model-denies-is-mended"
MENDER_TOLD = "a-mender-that-is-down-is-told"

CHANGES = (NAMED_ROLE, FACET_ROOM, CAPPED_CALLS, THREE_ROUNDS, REVIEWERS_CHOICE, DENIED_MENDED, MENDER_TOLD)
"""All that this code knows; a worker gives them to the tasks that begin on it."""
