"""`theseus dev` starts all that a task needs, leaves nothing behind however it ends, and refuses in one line what it cannot do."""

import json
import os
import signal
import socket
import sqlite3
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.dev_process import alive, dev, soon_gone, theseus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def one_line(stderr: str) -> str:
    assert len(stderr.strip().splitlines()) == 1, stderr
    assert "Traceback" not in stderr
    return stderr


def test_ready_means_that_everything_answers(tmp_path: Path) -> None:
    with dev(tmp_path, "--llm", "scripted", workers=2) as it:
        ready = it.ready
        assert set(ready["pids"]) == {"temporal", "valkey", "model", "workers"}
        assert len(ready["pids"]["workers"]) == 2
        assert alive(it.pids) == it.pids
        with urllib.request.urlopen(ready["ui_url"]) as page:
            assert page.status == 200
        with urllib.request.urlopen(ready["model_base_url"] + "/models") as models:
            assert models.status == 200
        found = json.loads(it.run("doctor", "--json").stdout)
        bad = {finding["name"] for finding in found if not finding["ok"]}
        assert not bad, found
        assert it.end(signal.SIGINT) == 0
        assert alive(it.pids) == []
        assert not (tmp_path / "ready.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
def test_killed_outright_it_leaves_no_process(tmp_path: Path) -> None:
    with dev(tmp_path, "--llm", "scripted") as it:
        it.end(signal.SIGKILL)
        assert soon_gone(it.pids), alive(it.pids)


def test_a_dead_worker_is_started_again_and_a_dead_server_ends_it(tmp_path: Path) -> None:
    with dev(tmp_path, "--llm", "scripted") as it:
        [worker] = it.ready["pids"]["workers"]
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while json.loads((tmp_path / "ready.json").read_text())["pids"]["workers"] == [worker]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert "worker 1 ended (exit -9); it is started again" in it.log.read_text()
        assert it.run("run", "hello", "--mode", "simple").returncode == 0
        os.kill(it.ready["pids"]["valkey"], signal.SIGKILL)
        assert it.process.wait(30) == 2
        assert "valkey ended (exit -9)" in it.log.read_text()
        assert soon_gone(it.pids)


def test_a_taken_port_is_one_line_and_exit_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = theseus("dev", "--data-dir", str(tmp_path), "--llm", "none", "--temporal-port", port)
    assert ended.returncode == 2
    said = one_line(ended.stderr)
    assert port in said and "--temporal-port" in said


def test_a_missing_model_is_one_line_and_exit_2(tmp_path: Path) -> None:
    env = dict(os.environ) | {"THESEUS_LOCAL_MODEL": str(tmp_path / "none.gguf")}
    ended = theseus("dev", "--data-dir", str(tmp_path), "--llm", "local", "--temporal-port", "0", env=env)
    assert ended.returncode == 2
    assert "THESEUS_LOCAL_MODEL" in one_line(ended.stderr)


def test_a_wrong_script_is_one_line_and_exit_2(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("rules: [{repli: {text: hi}}]")
    ports = ("--temporal-port", "0", "--ui-port", "0", "--redis-port", "0")
    ended = theseus("dev", "--data-dir", str(tmp_path / "data"), "--script", str(script), *ports)
    assert ended.returncode == 2
    assert "repli" in one_line(ended.stderr)


def test_one_data_dir_has_one_dev_and_state_survives_a_restart(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("rules: [{when: {any_message: my name is Ada}, reply: {text: 'Ada, you said {{last_user}}'}}]")
    chat = ("--mode", "simple", "--session", "s1", "--context", '{"role": "chat"}')
    with dev(tmp_path, "--script", str(script), workers=1) as it:
        second = theseus("dev", "--data-dir", str(tmp_path / "data"), "--llm", "none", "--temporal-port", "0")
        assert second.returncode == 2
        assert str(it.process.pid) in one_line(second.stderr)
        assert it.run("run", "my name is Ada", *chat, "--task-id", "first").returncode == 0
    with dev(tmp_path, "--script", str(script)) as it:
        after = it.run("run", "and again", *chat)
        assert after.stdout == "Ada, you said and again\n", "the session's first turn is still there"
        assert "completed" in it.run("status", "first").stdout


@pytest.mark.parametrize("is_told", [False, True])
def test_its_archive_is_its_own_whatever_the_shell_says_of_databases(tmp_path: Path, is_told: bool) -> None:
    shells, told, own = tmp_path / "shell.db", tmp_path / "told.db", tmp_path / "data" / "archive.db"
    options = ("--database-url", f"sqlite:///{told}") if is_told else ()
    shell = {"DATABASE_URL": f"sqlite:///{shells}"}
    with dev(tmp_path, "--llm", "scripted", *options, gateway=True, env=shell) as it:
        assert it.run("run", "hello", "--mode", "simple", "--task-id", "first").returncode == 0
        assert not shells.exists(), "the tables of some other program may be there"
        assert (told.exists(), own.exists()) == (is_told, not is_told)
        with sqlite3.connect(told if is_told else own) as kept:
            assert kept.execute("select status from tasks where task_id = 'first'").fetchall() == [("completed",)]
        assert ("DATABASE_URL is not used" in it.log.read_text()) is not is_told
