"""What the wrapped command finds around it, and what those at its pipes see, against the bare command."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from run.helpers import Stage, driver_argv, eventually

PYTHON = sys.executable
BLOCKER = """
import os, signal, sys
for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python itself ignores
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [1, 10, 17, 34])
os.execvp(sys.argv[1], sys.argv[1:])
"""

SURROUNDINGS = r"""
grep -E '^(SigBlk|SigIgn|SigCgt|Cap|Seccomp|NoNewPrivs|Umask)' /proc/self/status
umask; pwd; nice; cat /proc/self/oom_score_adj /proc/self/limits
ls -l /proc/self/fd | sed -e 's|.*:.. ||' -e 's|/proc/[0-9]*/|/proc/PID/|' -e 's|pipe:.*|pipe|'
env | grep -v -e ^_= -e ^AIPOWER_TEST_RUN= -e ^OLDPWD= | sort
"""


def without_libc_signals(line: str) -> str:
    """posix_spawn of glibc ignores the two signals that it keeps to itself, 32 and 33, in each new process."""
    name, _, value = line.partition("\t")
    return f"{name}\t{int(value, 16) & ~(3 << 31):016x}" if name == "SigIgn:" else line


def surroundings(stage: Stage, before: Sequence[str], *, wrapped: bool) -> list[str]:
    folder = stage.folder()
    command = ["bash", "-c", SURROUNDINGS]
    argv = driver_argv(folder, command) if wrapped else command
    run = stage.launch(
        [*before, *argv],
        stage.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return [without_libc_signals(line) for line in run.process.communicate()[0].decode().splitlines()]


@pytest.mark.parametrize(
    "before",
    [
        [],
        ["nohup"],
        ["bash", "-c", "trap '' HUP INT QUIT TSTP USR1; umask 027; ulimit -n 300; exec \"$@\"", "bash"],
        ["nice", "-n", "5", "bash", "-c", 'exec 7</dev/null 9>/dev/null 0<&-; exec "$@"', "bash"],
        [PYTHON, "-c", BLOCKER],
        ["env", "-i", "PATH=/usr/bin:/bin", "LC_CTYPE=C"],
        ["env", "-i", "PATH=/usr/bin:/bin"],
    ],
    ids=["plain", "nohup", "ignoring", "descriptors", "blocking", "C locale", "empty"],
)  # fmt: skip
def test_command_finds_what_it_would_find_bare(stage: Stage, before: list[str]) -> None:
    bare = surroundings(stage, before, wrapped=False)
    assert [line for line in bare if line.startswith("SigIgn")]
    assert surroundings(stage, before, wrapped=True) == bare


def test_group_and_session_are_the_wrappers(stage: Stage) -> None:
    run = stage.start(["sleep", "100"])
    command, wrapper, witness = run.pid("command"), run.pid("wrapper"), run.pid("witness")
    assert os.getpgid(command) == os.getpgid(wrapper) == os.getpgid(witness) == run.process.pid
    assert os.getsid(command) == os.getsid(wrapper) == os.getsid(0)


def test_added_environment_reaches_the_command(stage: Stage) -> None:
    run, out, _ = stage.run(["sh", "-c", "echo $AIPOWER_TEST_RUN"])
    assert out.decode().strip() == run.folder.name


def test_output_passes_byte_for_byte(stage: Stage) -> None:
    code = "import sys; [sys.stdout.buffer.write(bytes(range(256))) for _ in range(4096)]"
    run, out, err = stage.run([PYTHON, "-c", code])
    assert out == bytes(range(256)) * 4096
    assert (run.code(), err) == (0, b"")


def test_input_reaches_the_command(stage: Stage) -> None:
    run = stage.start(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.process.communicate(b"\x00\xff\n")[0] == b"\x00\xff\n"
    assert run.code() == 0


def test_reader_sees_the_end_as_soon_as_the_command_closes_its_output(stage: Stage) -> None:
    run = stage.start(
        ["sh", "-c", "echo all; exec >&-; until [ -e finish ]; do sleep 0.02; done; exit 4"],
        stdout=subprocess.PIPE,
    )
    assert run.process.stdout is not None
    assert run.process.stdout.read() == b"all\n"
    assert run.process.poll() is None
    assert run.finish() == 4


def pipe_is_broken(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.write(b"x")
    except BrokenPipeError:
        return True
    return False


def test_writer_sees_that_the_command_has_closed_its_input(stage: Stage) -> None:
    run = stage.start(
        ["sh", "-c", "exec <&-; touch ready; until [ -e finish ]; do sleep 0.02; done"],
        stdin=subprocess.PIPE,
    )
    run.ready()
    run.pid("command")
    eventually(lambda: pipe_is_broken(run.process), "the end of the pipe")
    assert run.process.poll() is None
    assert run.finish() == 0


def test_pipeline_in_a_shell(stage: Stage) -> None:
    folder = stage.folder()
    wrapped = 'yes | "$@" | head -n 2; echo "${PIPESTATUS[*]}"'
    argv = ["bash", "-c", wrapped, "bash", *driver_argv(folder, ["cat"])]
    run = stage.launch(argv, folder, stdout=subprocess.PIPE)
    assert run.process.communicate()[0] == b"y\ny\n141 141 0\n"


def test_passed_descriptor_works_and_ends_with_the_command(stage: Stage) -> None:
    reader, writer = os.pipe()
    code = f"import os, pathlib, time; os.write({writer}, b'hi'); os.close({writer})\n"
    code += "while not pathlib.Path('finish').exists(): time.sleep(0.02)"
    run = stage.start([PYTHON, "-c", code], pass_fds=(writer,))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"hi"
    assert run.process.poll() is None
    assert run.finish() == 0
