"""The sandbox in which workflows run, and what passes through it."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

# own modules pass through the sandbox once, instead of being imported anew for every task: that halves a worker's CPU.
# What passes is not guarded by the sandbox; tests/contract/test_house_rules.py and the replayed histories guard it.
PASSED_THROUGH = (
    "theseus.contracts",
    "theseus.domain",
    "theseus.roles",
    "theseus.activities",
    "theseus.stores",
    *(
        f"theseus.workflows.{part}"
        for part in (
            *(
                "agent",
                "answer",
                "approvals",
                "bugs",
                "carrying",
                "children",
                "conclusion",
                "leading",
                "skilled",
                "failing",
                "parts",
                "consent",
                "control",
                "crew",
            ),
            *("endings", "lifecycle", "limits", "milestones", "modes", "opening", "patterns", "run", "steps"),
            *("remembering", "reviews"),
            *("strategies", "supervision", "team", "together", "tool_calls"),
        )
    ),
    "markdown_it",
    "pydantic",
    "pydantic_core",
    "openai",
    "anthropic",
    "httpx2",
    "yaml",
    "structlog",
)


def runner() -> SandboxedWorkflowRunner:
    """The runner of all workflows: sandboxed, own modules passed through."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
