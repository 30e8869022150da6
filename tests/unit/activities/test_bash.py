"""bash does ordinary work in its workspace, and no command reaches anything else, outlasts its call or its limits."""

import asyncio
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from theseus.activities.tools.bash import bash_tools
from theseus.activities.tools.contained import box as box_module
from theseus.activities.tools.contained.box import Box, ContainmentError, Limits
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect
from theseus.stores.files import WorkspaceError, Workspaces

ADA = SessionKey(session_id="s", user_id="ada")
BOB = SessionKey(session_id="s", user_id="bob")
SECRET = "sk-a-key-of-the-worker"
QUOTA = 20_000_000
PYTHON = "/usr/bin/python3"
PROGRAMS = Path(box_module.__file__).parent


class Shell:
    """bash in workspaces under a folder, and a secret file beside them."""

    def __init__(self, root: Path) -> None:
        self.outside = root / "outside"
        self.outside.mkdir()
        (self.outside / "secret.txt").write_text(SECRET)
        self.workspaces = Workspaces(root / "workspaces", quota_bytes=QUOTA)
        self.registry = Registry(bash_tools(Box(), self.workspaces, QUOTA, (WorkspaceError,)))

    async def __call__(self, command: str, key: SessionKey = ADA, seconds: int = 5) -> Outcome:
        arguments = json.dumps({"command": command, "timeout_seconds": seconds})
        context = ToolContext(key, "task-1", "task-1:1:c")
        return await self.registry.run(ToolCall(id="c", name="bash", arguments=arguments), context)

    def file(self, name: str, key: SessionKey = ADA) -> Path:
        return self.workspaces.folder(key) / name


@pytest.fixture(scope="module")
async def contained() -> None:
    try:
        await Box().prove()
    except ContainmentError as error:
        pytest.skip(f"commands cannot be contained here: {error}")


@pytest.fixture
async def run(contained: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Shell]:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    yield Shell(tmp_path)


WORK = {
    "listing": ("echo a > a.txt; mkdir d; ls", "a.txt\nd"),
    "search": ("printf 'one\\ntwo\\n' > f; grep -n two f", "2:two"),
    "awk": ("seq 1 10 | awk '{s += $1} END {print s}'", "55"),
    "sorting through a temporary file": ("printf 'b\\na\\n' | sort -T /tmp", "a\nb"),
    "a here-document": ("cat <<END\nhello $HOME\nEND", "hello /workspace"),
    "loops and functions": ("f() { echo $(($1 * 2)); }; for i in 1 2 3; do f $i; done", "2\n4\n6"),
    "pipes in parallel": ("(sleep 0.2; echo late) & echo early; wait", "early\nlate"),
    "an archive": ("mkdir d; echo x > d/f; tar cf a.tar d; rm -r d; tar xf a.tar; cat d/f", "x"),
    "a program of its own": ("printf '#!/bin/sh\\necho mine\\n' > p; chmod +x p; ./p", "mine"),
    "who it is": ("id -un; pwd; hostname", "agent\n/workspace\nbox"),
    "devices": ("head -c 3 /dev/zero | wc -c; echo gone > /dev/null", "3"),
}


@pytest.mark.parametrize("name", WORK)
async def test_ordinary_work_is_done(run: Shell, name: str) -> None:
    command, expected = WORK[name]
    assert await run(command) == Outcome(f"{expected}\n[Exit code 0]")


@pytest.mark.skipif(not os.path.exists(PYTHON), reason="no Python of the system")
async def test_the_systems_python_computes(run: Shell) -> None:
    outcome = await run(f"{PYTHON} -c 'import json, socket; print(json.dumps([6 * 7])); socket.socketpair()'")
    assert outcome == Outcome("[42]\n[Exit code 0]")


async def test_what_a_command_writes_stays_and_can_be_read_and_what_was_written_can_be_changed(run: Shell) -> None:
    run.workspaces.write(ADA, "notes/a.txt", "one\n")
    await run("echo two >> notes/a.txt; echo new > b.txt")
    assert run.workspaces.read(ADA, "notes/a.txt", 0, 100).text == "one\ntwo\n"
    run.workspaces.write(ADA, "b.txt", "newer")
    assert (await run("cat b.txt")).text == "newer\n[Exit code 0]"
    assert (await run("ls", BOB)).text == "[Exit code 0]", "another user's workspace is another one"


async def test_a_command_that_fails_is_told_by_its_exit_code_and_errors_are_part_of_the_output(run: Shell) -> None:
    assert await run("echo out; echo err >&2; exit 3") == Outcome("out\nerr\n[Exit code 3]")
    assert await run("kill -TERM $$") == Outcome("[Ended by signal 15]")


def python(code: str) -> str:
    return f"{PYTHON} - <<'PROGRAM'\n{code}\nPROGRAM"


def system_call(number: int, *arguments: str) -> str:
    given = ", ".join(arguments)
    return python(
        "import ctypes, platform\nlibc = ctypes.CDLL(None)\nb = ctypes.create_string_buffer(256)\n"
        f"if platform.machine() == 'x86_64' and libc.syscall({number}, {given}) >= 0: print('ESCAPED')"
    )


def connected(kind: str, address: str, family: str = "AF_INET") -> str:
    return python(
        f"import socket\ns = socket.socket(socket.{family}, socket.{kind})\ns.connect({address})\nprint('ESCAPED')"
    )


ATTACKS = {
    # each prints ESCAPED, or the secret, when it succeeds; OUTSIDE, PORT and WORKER are filled in
    "a path up": "cat ../../outside/secret.txt ../../../../../..OUTSIDE/secret.txt",
    "an absolute path": "cat OUTSIDE/secret.txt",
    "a list of other workspaces": "ls .. | grep -qx workspaces && echo ESCAPED",
    "homes": "for d in /root /home /work /srv /var /opt /run /boot /sys; do [ -e $d ] && echo ESCAPED; done",
    "a symbolic link": "ln -s OUTSIDE/secret.txt a; cat a; ln -s / b; cat bOUTSIDE/secret.txt; ls b/root && echo ESCAPED",
    "a hard link": "ln OUTSIDE/secret.txt a && echo ESCAPED; ln /usr/bin/id b && echo ESCAPED",
    "writing to the system": "for d in / /etc /usr /usr/bin /dev /proc; do touch $d/evil && echo ESCAPED; done",
    "changing the users": "echo 'x::0:0::/:/bin/sh' >> /etc/passwd && echo ESCAPED; cat /etc/shadow && echo ESCAPED",
    "a mount made writable": "mount -o remount,rw /usr && echo ESCAPED; mount -t tmpfs x /workspace && echo ESCAPED",
    "new namespaces": "unshare -Urm true && echo ESCAPED; unshare -n true && echo ESCAPED",
    "namespaces of others": "nsenter -t 1 -m true && echo ESCAPED; nsenter -t WORKER -m true && echo ESCAPED",
    "a new root": "mkdir r; /usr/sbin/chroot r true && echo ESCAPED; /usr/sbin/chroot / true && echo ESCAPED",
    "its environment": "env; cat /proc/self/environ; export -p",
    "the environment of others": "cat /proc/1/environ /proc/WORKER/environ /proc/[0-9]*/environ /proc/*/task/*/environ",
    "the environment from Python": python("import os; print(os.environ, os.getenv('OPENAI_API_KEY'))"),
    "the root of others": "cat /proc/1/rootOUTSIDE/secret.txt /proc/1/cwd/../OUTSIDE/secret.txt; ls /proc/1/root && echo ESCAPED",
    "open files of others": "ls /proc/1/fd && echo ESCAPED; cat /proc/$$/fd/[4-9] && echo ESCAPED",
    "a list of processes": "[ -e /proc/WORKER ] && [ WORKER -gt 200 ] && echo ESCAPED; ls -d /proc/1 && echo ESCAPED",
    "killing the worker": "kill -9 WORKER && echo ESCAPED; kill -9 1 && echo ESCAPED; kill -9 $PPID && echo ESCAPED; true",
    "tracing its parent": python(
        "import ctypes, os\nif ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: print('ESCAPED')"
    ),
    "tracing its child": python(
        "import ctypes, os, time\np = os.fork()\nif p == 0: time.sleep(1); os._exit(0)\n"
        "if ctypes.CDLL(None).ptrace(16, p, 0, 0) == 0: print('ESCAPED')"
    ),
    "TCP by bash": "exec 3<>/dev/tcp/127.0.0.1/PORT && echo ESCAPED",
    "UDP by bash": "echo x > /dev/udp/127.0.0.1/PORT && echo ESCAPED",
    "TCP": connected("SOCK_STREAM", "('127.0.0.1', PORT)"),
    "TCP over IPv6": connected("SOCK_STREAM", "('::1', PORT)", "AF_INET6"),
    "UDP": connected("SOCK_DGRAM", "('127.0.0.1', PORT)"),
    "a Unix socket": connected("SOCK_STREAM", "'OUTSIDE/socket'", "AF_UNIX"),
    "an abstract Unix socket": connected("SOCK_STREAM", "'\\0theseus-test-WORKER'", "AF_UNIX"),
    "raw packets": python("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print('ESCAPED')"),
    "netlink": python("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('ESCAPED')"),
    "names on the network": "getent ahostsv4 example.org && echo ESCAPED",
    "becoming root": "echo | su -c 'echo ESCAPED'; sudo -n true && echo ESCAPED; setpriv --reuid 0 true && echo ESCAPED",
    "programs that run as root": "for p in $(find /usr -perm -4000 -type f); do echo | timeout 1 $p --version; done | grep -c '^uid=0' | grep -v '^0' && echo ESCAPED",
    "a file that runs as its owner": "cp /usr/bin/id x; chmod u+s x && echo ESCAPED; chmod 6755 x && echo ESCAPED; install -m 4755 x y; [ -u y ] && echo ESCAPED",
    "such a file from the start": python(
        "import os\nfor make in (lambda: os.open('z', os.O_CREAT | os.O_WRONLY, 0o4755), lambda: os.mknod('w', 0o104755)):\n"
        "    try: make()\n    except OSError: continue\n    print('ESCAPED')"
    ),
    "capabilities": "grep -E '^Cap(Prm|Eff|Bnd|Amb):.*[1-9a-f]' /proc/self/status && echo ESCAPED",
    "devices": "mknod d b 254 0 && echo ESCAPED; mknod c c 1 1 && echo ESCAPED; ls /dev/vda /dev/mem /dev/kmsg && echo ESCAPED",
    "kernel settings": "ls /proc/sys /proc/kcore /proc/kallsyms && echo ESCAPED; echo 1 > /proc/sysrq-trigger && echo ESCAPED",
    "less reason to be killed": "echo -1000 > /proc/self/oom_score_adj && echo ESCAPED",
    "higher limits": "ulimit -Hn 100000 && echo ESCAPED; ulimit -Hu 10000 && echo ESCAPED; nice -n -20 true 2>&1 | grep -q . || echo ESCAPED",
    "io_uring": system_call(425, "8", "b"),
    "eBPF": system_call(321, "5", "b", "72"),
    "keys of the kernel": system_call(250, "0", "ctypes.c_int(-3)", "1"),
    "memory that is no file": system_call(319, "b", "0"),
    "shared memory": system_call(29, "0", "4096", "0o1600"),
    "shared memory without a name": python("import mmap; mmap.mmap(-1, 4096); print('ESCAPED')"),
    "shared memory of a device": python(
        "import mmap, os\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096); print('ESCAPED')"
    ),
    "open files on their way": python(
        "import os, socket\na, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [0]); print('ESCAPED')"
    ),
    "room behind a file's end": "touch a; fallocate -n -l 1M a && echo ESCAPED",
    "page faults in user mode": system_call(323, "1"),
    "files by handle": system_call(303, "-100", "b'/usr'", "b", "b", "0"),
    "namespaces by a pointer": system_call(435, "b", "64"),
    "calls of a 32-bit kind": python(
        "import ctypes, os\np = os.fork()\nif p == 0:\n    r = ctypes.CDLL(None).syscall(0x40000000 + 39)\n"
        "    os._exit(0 if r >= 0 else 1)\nif os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) == 0: print('ESCAPED')"
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_outside_is_reached_by(run: Shell, name: str) -> None:
    if PYTHON in ATTACKS[name] and not os.path.exists(PYTHON):
        pytest.skip("no Python of the system")
    met: list[str] = []

    async def connection(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append("a connection")
        writer.close()

    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0theseus-test-{os.getpid()}")
        abstract.listen()
        tcp = await asyncio.start_server(connection, "127.0.0.1", 0)
        unix = await asyncio.start_unix_server(connection, f"/tmp/theseus-test-{os.getpid()}")
        async with tcp, unix:
            port = tcp.sockets[0].getsockname()[1]
            command = ATTACKS[name].replace("OUTSIDE/socket", f"/tmp/theseus-test-{os.getpid()}")
            for word, value in (("OUTSIDE", run.outside), ("PORT", port), ("WORKER", os.getpid())):
                command = command.replace(word, str(value))
            outcome = await run(command, seconds=10)
    Path(f"/tmp/theseus-test-{os.getpid()}").unlink(missing_ok=True)
    assert "ESCAPED" not in outcome.text
    assert SECRET not in outcome.text
    assert "was not run" not in outcome.text, "it was tried"
    assert met == []
    assert not os.path.exists("/etc/evil") and not os.path.exists("/usr/evil")


LAYER = [
    *(
        "a path up",
        "a symbolic link",
        "a mount made writable",
        "a new root",
        "the root of others",
        "killing the worker",
    ),
    *(
        "TCP by bash",
        "TCP",
        "TCP over IPv6",
        "UDP",
        "a Unix socket",
        "an abstract Unix socket",
        "devices",
        "raw packets",
    ),
]


@pytest.mark.parametrize("name", LAYER)
async def test_namespaces_keep_in_without_the_filter_of_system_calls(
    run: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def nothing_refused(_: str) -> bytes:
        return struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000)

    monkeypatch.setattr(box_module.seccomp, "program", nothing_refused)
    await test_nothing_outside_is_reached_by(run, name)


async def test_what_is_written_to_tmp_is_seen_by_nobody_and_gone_afterwards(run: Shell) -> None:
    name = f"/tmp/theseus-evil-{os.getpid()}"
    assert (await run(f"echo x > {name}; cat {name}")).text == "x\n[Exit code 0]"
    assert not os.path.exists(name)
    assert (await run(f"ls -A /tmp; cat {name}")).text.endswith("[Exit code 1]")


LIMITS = {
    "a fork bomb": (":(){ :|:& };:; sleep 20", ""),
    "a fork bomb that outlives its parent": ("f() { f | f & }; f; while :; do :; done", "ran longer than 2 s"),
    "an endless loop": ("while :; do :; done", "ran longer than 2 s"),
    "endless waiting": ("trap '' TERM INT HUP; sleep 1000", "ran longer than 2 s"),
    "endless output": ("yes", "wrote more than 1048576 bytes"),
    "endless output of errors": ("yes >&2", "wrote more than 1048576 bytes"),
    "memory of one": ("x=$(head -c 3000000000 /dev/zero | tr '\\0' 'x'); echo ${#x}", ""),
    "memory of many": (
        python(
            "import os, time\nfor i in range(12):\n    if os.fork() == 0: x = b'x' * (200 << 20); time.sleep(40)\ntime.sleep(40)"
        ),
        "MiB of memory",
    ),
    "memory as files": ("for i in 1 2 3 4; do head -c 40000000 /dev/zero > /tmp/a$i; done", "No space left on device"),
    # whichever comes first: the kernel's limit of one file, or the watch over the whole workspace
    "one huge file": ("head -c 2000000000 /dev/zero > a", f"File too large|{QUOTA} bytes"),
    "a file with a huge hole": ("truncate -s 100G a", "File too large"),
    "many large files": (
        "for i in $(seq 99); do head -c 4000000 /dev/zero > f$i; sleep 0.02; done; sleep 30",
        f"{QUOTA} bytes",
    ),
    "files that were removed and are held": (
        python(
            "import os, time\nfor i in range(4):\n    f = os.open('f', os.O_CREAT | os.O_RDWR)\n    os.unlink('f')\n"
            "    os.write(f, b'x' * 8_000_000)\ntime.sleep(30)"
        ),
        f"{QUOTA} bytes",
    ),
    "files that were removed and are seen in memory": (
        python(
            "import mmap, os, time\nkept = []\nfor i in range(4):\n    f = os.open('f', os.O_CREAT | os.O_RDWR)\n"
            "    os.write(f, b'x' * 8_000_000)\n    kept.append(mmap.mmap(f, 4096))\n    os.unlink('f')\n    os.close(f)\n"
            "time.sleep(30)"
        ),
        f"{QUOTA} bytes",
    ),
    "many small files": ("seq 12000 | sed s/^/f/ | xargs touch; sleep 30", "10000 files"),
    "a deep nest": ("for i in $(seq 80); do mkdir d; cd d; done; sleep 30", "nested too deep"),
    "open files": (
        'for i in $(seq 10 900); do eval "exec $i</dev/null" || break; done; echo $i',
        "Bad file descriptor",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
async def test_limits_end(run: Shell, name: str) -> None:
    command, told = LIMITS[name]
    marker, began = f"theseus-{uuid.uuid4()}", time.monotonic()
    # what takes a while here must not be ended by its time; a machine with other work needs more of it
    seconds = 2 if "2 s" in told or not told else 35
    outcome = await run(f": {marker}; {command}", seconds=seconds)
    assert re.search(told, outcome.text)
    assert outcome.is_error or "[Ended" not in outcome.text
    assert time.monotonic() - began < 35
    assert not running(marker), "nothing is left of it"
    used = sum(path.stat().st_size for path in run.file(".").rglob("*") if path.is_file())
    assert used < 20 * QUOTA
    # what is too much for one look at the disk is removed by those that follow
    cleared = [(await run("rm -rf d f* a; echo fine")).text for _ in range(4)]
    assert cleared[-1].startswith("fine"), "the next commands work"


def running(marker: str) -> bool:
    """Whether a process of this machine has a word in its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if marker in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                    return True
            except OSError:
                continue
    return False


async def until_running(marker: str, expected: bool) -> None:
    for _ in range(200):
        if running(marker) is expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{marker} {'does not run' if expected else 'still runs'}")


async def test_no_process_outlives_its_call(run: Shell) -> None:
    outcome = await run("setsid nohup sleep 4711.1 >/dev/null 2>&1 & (setsid sleep 4711.2 &) ; sleep 0.3; echo started")
    assert outcome.text == "started\n[Processes that it left running were ended: 2]\n[Exit code 0]"
    assert not running("sleep 4711")


async def test_a_cancelled_call_has_ended_all_that_it_started(run: Shell) -> None:
    call = asyncio.create_task(run("setsid sleep 4712.1 & trap '' TERM; sleep 4712.2", seconds=60))
    await until_running("sleep 4712.2", True)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not running("sleep 4712")


async def test_a_worker_that_is_killed_takes_its_commands_with_it(contained: None, tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\nfrom theseus.activities.tools.contained.box import Box, Limits\n"
        "command = ['/bin/bash', '-c', 'setsid sleep 4713.1 & sleep 4713.2']\n"
        "asyncio.run(Box().run(command, pathlib.Path(sys.argv[1]), Limits(seconds=60)))\n"
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path)), env={"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    try:
        await until_running("sleep 4713.2", True)
    finally:
        worker.kill()
        await worker.wait()
    await until_running("sleep 4713", False)


async def test_calls_side_by_side_do_not_see_each_other(run: Shell) -> None:
    first, second = await asyncio.gather(
        run("sleep 4714 & echo $$; sleep 0.5; cat /tmp/mine", ADA),
        run("echo x > /tmp/mine; pgrep -x sleep; sleep 0.5", BOB),
    )
    assert "No such file" in first.text
    assert second.text == "[Exit code 0]"


def asked(command: str, folder: str) -> bytes:
    """Orders as the box gives them."""
    return box_module._orders(["/bin/bash", "-c", command], Path(folder), Limits(seconds=5))  # pyright: ignore[reportPrivateUsage]


@pytest.mark.skipif(not os.path.exists(PYTHON), reason="no Python of the system")
async def test_where_namespaces_are_not_permitted_nothing_is_run_and_the_reason_is_told(run: Shell) -> None:
    # inside a box no second one can be built: just such a place
    shutil.copytree(PROGRAMS, run.file("programs"))
    run.file("orders").write_bytes(asked("echo ESCAPED > /workspace/escaped", "/workspace"))
    outcome = await run(f"{PYTHON} -E -s -S programs/launch.py < orders")
    assert '{"refused": "namespaces cannot be made: Operation not permitted"}' in outcome.text
    assert not run.file("escaped").exists()


@pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists(PYTHON), reason="only root can become somebody else")
def test_a_worker_without_any_right_contains_as_well(contained: None) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        programs, folder = Path(place, "programs"), Path(place, "folder")
        shutil.copytree(PROGRAMS, programs)
        folder.mkdir()
        os.chown(folder, 12345, 12345)
        become = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", PYTHON, "-E", "-s", "-S"]
        command = (
            "id -u; echo kept > a; cat /proc/1/environ; grep CapEff /proc/self/status; mount -t tmpfs x /tmp; echo end"
        )
        with subprocess.Popen(
            [*become, str(programs / "launch.py")], stdin=-1, stdout=-1, stderr=-1, env={"KEY": SECRET}
        ) as process:
            assert process.stdin and process.stdout and process.stderr
            process.stdin.write(asked(command, str(folder)))
            process.stdin.flush()
            output, report = process.stdout.read().decode(), json.loads(process.stderr.read())
        assert report == {"code": 0, "broken": None, "left_running": 0, "disk": None}
        assert output.startswith("1000\n") and output.endswith("end\n") and "CapEff:\t0000000000000000" in output
        assert SECRET not in output
        assert ((folder / "a").read_text(), (folder / "a").stat().st_uid) == ("kept\n", 12345)


async def test_a_box_that_cannot_start_is_a_value_for_the_model_and_an_error_at_the_workers_start(
    run: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_module.platform, "machine", lambda: "vax")
    outcome = await run("echo ESCAPED")
    assert outcome.is_error
    assert outcome.text.startswith("The command was not run: no filter of system calls for the processor vax")
    with pytest.raises(ContainmentError, match="vax"):
        await Box().prove()


async def test_bash_writes_so_that_nobody_repeats_a_command(run: Shell) -> None:
    assert [facts.effect for facts in run.registry.facts()] == [Effect.WRITE]


async def test_commands_that_cannot_be_are_values(run: Shell) -> None:
    for command in ("echo a\0b", ""):
        assert (await run(command)).is_error
    assert (await run("exit 0", seconds=121)).is_error
