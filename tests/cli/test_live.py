"""``civsim play`` on the command line: it serves a page, says where, ends on Ctrl-C, and refuses in one line."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from commands import refused

# Ctrl-C may be ignored in a process that a shell started in the background; a terminal's are not.
START = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from civsim.cli import main; "
RUN = START + "sys.exit(main(sys.argv[1:]))"


def test_it_serves_a_game_says_where_and_ends_on_an_interrupt(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, "play", "baseline", "--port", "0", "--seat", "1", "--set", "game.turns=5"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.fullmatch(r"baseline: play at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends\)\n", line)
        assert found, line
        with urllib.request.urlopen(found[1], timeout=60) as answer:
            text = answer.read().decode()
        assert '"held":[1]' in text
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (0, "ended\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(capsys, "play", "baseline", "--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "give another --port" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere"),
        (["baseline", "--seat", "9"], "seat 9 is outside 0 … 3"),
        (["baseline", "--seat", "1", "--seat", "1"], "names a seat twice"),
        (["baseline", "--port", "70000"], "65535"),
        (["baseline", "--host", "no such host"], "cannot listen on no such host"),
        (["baseline", "--set", "map.wdith=3"], "map.wdith"),
        (["baseline", "--seed", "-1"], "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in refused(capsys, "play", *arguments)
