"""What ``civsim mesa`` refuses before anything is served; what it serves is in tests/viewer/test_mesa_page.py."""

from __future__ import annotations

import importlib.metadata
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from commands import refused

from civsim.cli.serving import LOOPBACK
from civsim.viewer import mesa_server


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with mesa_server.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        line = refused(capsys, "mesa", "peace", "--port", str(port))
    assert f"--port {port} of 127.0.0.1 cannot be used (Address already in use); give another, or 0" in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["peac"], "no scenario is called 'peac'; did you mean 'peace'?"),
        (["peace", "--host", "nowhere.invalid"], "--host 'nowhere.invalid' cannot be used"),
        (["peace", "--host", "192.0.2.1"], "of 192.0.2.1 cannot be used"),
        (["peace", "--port", "70000"], "Invalid value for '--port'"),
        (["peace", "--seed", "x"], "Invalid value for '--seed'"),
        (["peace", "--policy", "9=fixed"], "--policy '9=fixed': seat 9 is outside 0 … 3"),
        (["peace", "--set", "game.turn=3"], "game.turn"),
    ],
)
def test_what_cannot_be_served(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert line in refused(capsys, "mesa", *arguments)


def test_a_page_that_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = "install civsim with its extra: pip install 'civsim[viz]'"
    with monkeypatch.context() as patch:
        patch.setattr(mesa_server, "find_spec", lambda name: None if name == "solara" else find_spec(name))
        assert f"solara is not installed; {remedy}" in refused(capsys, "mesa", "peace")

    def version(name: str) -> str:
        if name == "solara-assets":
            raise importlib.metadata.PackageNotFoundError(name)
        return importlib.metadata.version(name)

    with monkeypatch.context() as patch:
        patch.setattr(mesa_server, "version", version)
        assert f"solara-assets is not installed; {remedy}" in refused(capsys, "mesa", "peace")
    with monkeypatch.context() as patch:
        patch.setattr(mesa_server, "version", lambda name: "3.0.0")
        line = refused(capsys, "mesa", "peace")
    assert "ipyvuetify 3.0.0 shows no page of Mesa's; give it version 1: pip install 'civsim[viz]'" in line


def test_the_page_as_a_library_says_what_it_lacks() -> None:
    code = "import sys; sys.modules['altair'] = None; import civsim.viewer.mesa_page"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: altair is not installed; install civsim with its extra: pip install 'civsim[viz]'"
    )


def test_another_host_name_is_refused_on_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the program itself: Solara keeps one set of applications a process."""
    code = (
        "import civsim, sys, json\n"
        "from starlette.testclient import TestClient\n"
        "from civsim.scenarios import override\n"
        "from civsim.viewer.mesa_server import bind, make_server\n"
        "game = override(civsim.load_scenario('peace'), {'map.width': 8, 'map.height': 8})\n"
        "found = {}\n"
        "for host in ('127.0.0.1', '0.0.0.0'):\n"
        "    with bind(host, 0) as listening:\n"
        "        served = make_server(game, listening, alone=host != '0.0.0.0').server.config.app\n"
        "        for name in ('127.0.0.1', 'localhost:8765', 'evil.example'):\n"
        "            client = TestClient(served, base_url='http://' + name)\n"
        "            found[host + ' ' + name] = client.get('/').status_code\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "127.0.0.1 127.0.0.1": 200,
        "127.0.0.1 localhost:8765": 200,
        "127.0.0.1 evil.example": 400,
        "0.0.0.0 127.0.0.1": 200,
        "0.0.0.0 localhost:8765": 200,
        "0.0.0.0 evil.example": 200,
    }


def test_a_socket_that_is_free_listens() -> None:
    with mesa_server.bind("localhost", 0) as listening:
        assert listening.getsockname()[0] in LOOPBACK
        with socket.create_connection(listening.getsockname()[:2], timeout=5):
            pass


def test_it_says_where_it_listens_and_ends_when_it_is_interrupted() -> None:
    code = "import sys; from civsim.cli import main; sys.exit(main(sys.argv[1:]))"
    options = ["peace", "--set", "map.width=8", "--set", "map.height=8", "--host", "0.0.0.0", "--port", "0"]
    command = [sys.executable, "-u", "-c", code, "mesa", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.fullmatch(r"peace: Mesa's page is at http://0\.0\.0\.0:(\d+)/ \(Ctrl-C ends\)\n", line)
        assert found, line
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/", timeout=60) as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=60)
    assert (server.returncode, out) == (0, "ended\n")
    assert "listening on 0.0.0.0: whoever reaches this machine can play, and use its time\n" in err
    assert "Traceback" not in err
