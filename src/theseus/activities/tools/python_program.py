"""The program that runs Monty for `python_executor.py` and can be killed. It imports nothing of ours.

It reads one JSON object (code and limits) and writes one. The library's own process crashes at exit now and then once a
program was stopped for a limit; here that harms nobody.
"""

import json
import os
import resource
import sys

from pydantic_monty import CollectString, Monty, MontyCrashedError, MontyError, MontyRuntimeError, MontySyntaxError

RECURSION = 400
SUSPENSIONS = 1_000
ADDRESS_SPACE_FACTOR = 8
ADDRESS_SPACE_BASE = 2 << 30


def main() -> None:
    """Runs the program of standard input; ends the process without the interpreter's clean-up."""
    asked = json.load(sys.stdin)
    _limit(asked["seconds"], asked["memory_bytes"])
    answer = _run(asked["code"], asked["seconds"], asked["memory_bytes"], asked["output_chars"])
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)


def _limit(seconds: float, memory_bytes: int) -> None:
    """What the interpreter's own limits forget, the kernel does not; the process below this one has the same limits."""
    limits = {
        resource.RLIMIT_AS: ADDRESS_SPACE_BASE + ADDRESS_SPACE_FACTOR * memory_bytes,
        resource.RLIMIT_CPU: int(seconds) + 5,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def _run(code: str, seconds: float, memory_bytes: int, output_chars: int) -> dict[str, str | None]:
    printed = CollectString(4 * output_chars)
    kind, error, value = "code", None, None
    try:
        with (
            Monty(max_processes=1, request_timeout=seconds + 2) as pool,
            pool.checkout(
                limits={
                    "max_feed_duration_secs": seconds,
                    "max_memory": memory_bytes,
                    "max_recursion_depth": RECURSION,
                    "max_suspensions": SUSPENSIONS,
                },
                # it waits for nothing that time would bring
                os_policy={"sleep": "zero"},
            ) as session,
        ):
            given = session.feed_run(code, print_callback=printed)
            value = None if given is None else _cut(repr(given), output_chars)
    except (MontyRuntimeError, MontySyntaxError) as failure:
        error = _cut(failure.display("traceback"), output_chars)
    except MontyCrashedError as failure:
        kind, error = "crash", "it ran too long" if failure.timed_out else "it died"
    except (MontyError, MemoryError, RecursionError, ValueError) as failure:
        kind, error = "crash", f"{type(failure).__name__}: {failure}"[:500]
    return {"output": _cut(printed.output, output_chars), "value": value, "error": error, "kind": kind}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[{len(text) - most} characters more are left out]\n"


if __name__ == "__main__":
    main()
