"""The CLI tells programs by exit code and stdout how a task ended, and people in one line what they can do."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.dev_process import DevProcess, clean_env, dev, theseus
from theseus.contracts.task import MAX_INPUT_BYTES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SCRIPT = """
rules:
  - when: {system: "You note what", any_message: "Aarhus"}
    reply: {json: {notes: [{fact: "The user lives in Aarhus.", said: "I live in Aarhus", kind: person, about: home, only_one: true, keywords: []}]}}
  - {when: {last_user: refuse}, fault: {status: 400, body: "no such thing"}}
  - {when: {last_user: in its own words}, fault: {status: 400}}
  - {when: {any_message: overloaded}, fault: {status: 503, body: "come back later"}}
  - {when: {last_user: forever}, reply: {text: "once upon a time, for a long time"}, fault: {hang_after: 10}}
  - {when: {last_user: compute late, turn: 0}, latency: 8, reply: {tool_calls: [{name: calculator, arguments: {expression: "17*23"}}]}}
  - {when: {last_user: compute, turn: 0}, latency: 0.5, reply: {tool_calls: [{name: calculator, arguments: {expression: "17*23"}}]}}
  - {when: {has_tool_result: true}, reply: {text: "It is {{tool_result}}."}}
  - {reply: {text: "Hello to {{last_user}}"}}
"""
SIMPLE = ("--mode", "simple")


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "script.yaml").write_text(SCRIPT)
    with dev(folder, "--llm", "scripted", "--script", str(folder / "script.yaml")) as running:
        yield running


def start(it: DevProcess, query: str, task_id: str) -> str:
    ended = it.run("run", query, *SIMPLE, "--task-id", task_id, "--no-wait")
    assert (ended.returncode, ended.stdout) == (0, f"{task_id}\n"), ended.stderr
    return task_id


def one_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    return ended.stderr


def test_an_answer_is_stdout_and_0(it: DevProcess) -> None:
    ended = it.run("run", "Ada", *SIMPLE)
    assert (ended.returncode, ended.stdout) == (0, "Hello to Ada\n")
    assert "completed" in ended.stderr and "tokens" in ended.stderr


def test_json_is_the_whole_result(it: DevProcess) -> None:
    ended = it.run("run", "compute", *SIMPLE, "--json", "--session", "s", "--user", "u", "--tenant", "t")
    result = json.loads(ended.stdout)
    assert (result["status"], result["result"], result["session_id"]) == ("completed", "It is 391.", "s")
    assert "calculator gave 391" in ended.stderr


def test_a_failed_task_is_1_with_its_reason_on_stderr_and_nothing_on_stdout(it: DevProcess) -> None:
    ended = it.run("run", "refuse", *SIMPLE)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "failed" in ended.stderr and "no such thing" in ended.stderr
    assert "scripted fault" in it.run("run", "in its own words", *SIMPLE).stderr
    refused = it.run("run", "", *SIMPLE, "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["type"] == "InvalidInput"


def test_an_id_names_one_task(it: DevProcess) -> None:
    first = it.run("run", "Ada", *SIMPLE, "--task-id", "once")
    again = it.run("run", "Bea", *SIMPLE, "--task-id", "once")
    assert first.stdout == again.stdout == "Hello to Ada\n"
    assert "started before" in again.stderr


def test_input_comes_from_stdin_and_options_win(it: DevProcess) -> None:
    given = json.dumps({"query": "stdin", "mode": "simple", "context": {"role": "chat"}})
    assert it.run("run", "--input", "-", stdin=given).stdout == "Hello to stdin\n"
    assert it.run("run", "option", "--input", "-", stdin=given).stdout == "Hello to option\n"
    assert it.run("run", "--input", "-", stdin="[1]").returncode == 2


def test_an_input_that_is_too_large_is_refused_before_it_is_sent(it: DevProcess) -> None:
    given = json.dumps({"query": "x", "context": {"blob": "x" * MAX_INPUT_BYTES}})
    ended = it.run("run", "--input", "-", "--task-id", "large", stdin=given)
    assert ended.returncode == 1 and "1,048,576" in one_line(ended)
    assert "there is no task large" in it.run("status", "large").stderr


def test_pause_status_resume(it: DevProcess) -> None:
    task = start(it, "compute late", "held")
    assert it.run("pause", task, "--reason", "lunch").returncode == 0
    status = json.loads(it.run("status", task, "--json").stdout)
    assert status["control_state"]["is_paused"] and status["control_state"]["pause_reason"] == "lunch"
    assert "paused" in it.run("status", task).stdout
    assert it.run("resume", task).returncode == 0
    assert it.run("run", "compute late", *SIMPLE, "--task-id", task).stdout == "It is 391.\n"


@pytest.mark.parametrize("mode", ["simple", "standard"])
def test_status_says_what_is_tried_again_and_why(it: DevProcess, mode: str) -> None:
    task = f"overloaded-{mode}"
    role = '{"role": "chat"}'
    assert (
        it.run("run", "overloaded", "--mode", mode, "--context", role, "--task-id", task, "--no-wait").returncode == 0
    )
    shown = ""
    for _ in range(20):
        shown = it.run("status", task).stdout
        if "retrying" in shown:
            break
    [line] = [line for line in shown.splitlines() if line.startswith("retrying")]
    assert "llm.complete, attempt" in line and "503" in line and "come back later" in line
    (again,) = json.loads(it.run("status", task, "--json").stdout)["retried"]
    assert again["workflow_id"].startswith(task) and again["step"] == "llm.complete" and again["attempt"] > 1
    it.run("cancel", task)


def test_a_cancelled_task_is_130_for_who_waits(it: DevProcess) -> None:
    task = "endless"
    waiting = subprocess.Popen(
        [sys.executable, "-m", "theseus.cli", "run", "forever", *SIMPLE, "--task-id", task],
        env=it.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        it.until_running(task)
        assert it.run("cancel", task, "--reason", "enough").returncode == 0
        assert waiting.wait(20) == 130
    closed = it.run("pause", task)
    assert closed.returncode == 1 and "has ended" in one_line(closed)


def test_ctrl_c_leaves_the_task_running(it: DevProcess) -> None:
    task = "left"
    waiting = subprocess.Popen(
        [sys.executable, "-m", "theseus.cli", "run", "forever", *SIMPLE, "--task-id", task],
        env=it.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        it.until_running(task)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=20)
        assert waiting.returncode == 130
    assert f"theseus watch {task}" in said and f"theseus cancel {task}" in said
    assert "running" in it.run("status", task).stdout
    assert it.run("cancel", task).returncode == 0


def test_watch_goes_on_where_it_stopped(it: DevProcess) -> None:
    it.run("run", "compute", *SIMPLE, "--task-id", "seen")
    events = [json.loads(line) for line in it.run("watch", "seen", "--json").stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["event"]["type"] == "STREAM_END"
    middle = events[len(events) // 2]["stream_id"]
    rest = [json.loads(line) for line in it.run("watch", "seen", "--json", "--from", middle).stdout.splitlines()]
    assert rest == events[len(events) // 2 + 1 :]
    assert "It is 391." in it.run("watch", "seen").stdout
    assert it.run("watch", "seen", "--from", "yesterday").returncode == 2


def test_a_task_replays_and_another_history_does_not(it: DevProcess, tmp_path: Path) -> None:
    it.run("run", "Ada", *SIMPLE, "--task-id", "replayed")
    assert it.run("replay", "replayed").returncode == 0
    (tmp_path / "no.json").write_text("{}")
    assert it.run("replay", str(tmp_path / "no.json")).returncode == 1


@pytest.mark.parametrize("command", ["status", "watch", "pause", "resume", "cancel", "say", "approve", "replay"])
def test_an_unknown_task_is_one_line_and_1(it: DevProcess, command: str) -> None:
    ended = it.run(command, "task-nobody", *(["hello"] if command == "say" else []))
    assert ended.returncode == 1 and "there is no task task-nobody" in one_line(ended)


def test_without_redis_the_answer_still_comes(it: DevProcess) -> None:
    ended = theseus("run", "Ada", *SIMPLE, env=it.env | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert (ended.returncode, ended.stdout) == (0, "Hello to Ada\n")
    assert "no live progress" in ended.stderr


@pytest.mark.parametrize("command", [("run", "x"), ("status", "x"), ("cancel", "x"), ("watch", "x")])
def test_without_temporal_it_is_one_line_and_2(command: tuple[str, ...]) -> None:
    ended = theseus(*command, env=clean_env() | {"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert ended.returncode == 2
    said = one_line(ended)
    assert "127.0.0.1:1" in said and "theseus dev" in said


def test_doctor_names_each_trouble_and_its_remedy() -> None:
    env = clean_env() | {"TEMPORAL_ADDRESS": "127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1/0"}
    ended = theseus("doctor", env=env)
    assert ended.returncode == 1
    assert "BAD  Temporal" in ended.stdout and "BAD  Redis" in ended.stdout and "BAD  models" in ended.stdout


def test_what_is_known_of_a_user_is_listed_and_forgotten(it: DevProcess) -> None:
    ada = ("--user", "ada", "--tenant", "acme")
    told = it.run("run", "I live in Aarhus", *SIMPLE, *ada, "--context", '{"role": "chat", "memory": true}')
    assert told.returncode == 0, told.stderr
    (fact,) = json.loads(it.run("memory", "list", *ada, "--json").stdout)
    assert fact["text"] == "The user lives in Aarhus."
    listed = it.run("memory", "list", *ada).stdout
    assert listed.startswith(fact["id"]) and "The user lives in Aarhus." in listed
    nobody = it.run("memory", "list", "--user", "ada")
    assert (nobody.returncode, nobody.stdout) == (0, "") and "nothing is known of user ada" in one_line(nobody)
    unknown = it.run("memory", "forget", *ada, fact["id"], "m-none")
    assert unknown.returncode == 1 and "no fact m-none" in one_line(unknown)
    for given in ((), (fact["id"], "--all")):
        assert it.run("memory", "forget", *ada, *given).returncode == 2
    assert it.run("memory", "forget", *ada, fact["id"]).stdout == "1 fact of user ada of tenant acme forgotten\n"
    assert it.run("memory", "list", *ada, "--json").stdout == "[]\n"
    assert json.loads(it.run("memory", "forget", *ada, "--all", "--json").stdout) == {"forgotten": []}


def test_memory_says_that_redis_is_down() -> None:
    ended = theseus("memory", "list", "--user", "ada", env=clean_env() | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert ended.returncode == 2 and "127.0.0.1:1" in one_line(ended) and "REDIS_URL" in ended.stderr


def test_help_names_every_command() -> None:
    shown = theseus("--help").stdout
    for command in (
        "dev",
        "worker",
        "run",
        "status",
        "watch",
        "pause",
        "resume",
        "cancel",
        "approve",
        "deny",
        "say",
        "replay",
        "doctor",
        "fake-model",
        "memory",
    ):
        assert f"  {command} " in shown
    commands = shown.partition("Commands:")[2].partition("Start with")[0]
    assert "..." not in commands, "no line is cut"


def asked(it: DevProcess, task: str) -> None:
    given = json.dumps({"query": "Ada", "mode": "simple", "context": {"role": "chat"}, "require_approval": True})
    assert it.run("run", "--input", "-", "--no-wait", "--task-id", task, stdin=given).returncode == 0
    it.until_asked(task)


def test_a_task_that_asks_for_approval_is_approved_or_denied_from_the_terminal(it: DevProcess) -> None:
    asked(it, "wanted")
    assert "approval" in it.run("status", "wanted").stdout
    assert "approved" in it.run("approve", "wanted").stdout
    assert it.run("run", "Ada", *SIMPLE, "--task-id", "wanted").stdout == "Hello to Ada\n"
    asked(it, "unwanted")
    assert it.run("deny", "unwanted", "--feedback", "not today").returncode == 0
    ended = it.run("run", "Ada", *SIMPLE, "--task-id", "unwanted")
    assert ended.returncode == 1 and "not today" in ended.stderr
    late = it.run("approve", "unwanted", "unwanted/plan")
    assert late.returncode == 1 and "task unwanted has ended (failed)" in one_line(late)
    for command in (("say", "unwanted", "hello"), ("pause", "unwanted"), ("review", "unwanted", "--approve")):
        ended = it.run(*command)
        assert (ended.returncode, ended.stderr) == (1, late.stderr), "the same words, whatever was asked"
