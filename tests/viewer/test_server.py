"""The server of the live page: it answers its own pages, refuses the rest in one line, and lives on."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from civsim.base.errors import ActionError, CivsimError
from civsim.viewer import server as serving
from civsim.viewer.server import LONGEST_BODY, RefusalError, Server, Sessions, Site

STEP = "/api/step"


class Counter:
    """A game that counts."""

    turn = 0


def step(game: Counter, request: dict[str, Any]) -> bytes:
    if "by" in request and not isinstance(request["by"], int):
        raise ActionError(f"by={request['by']!r}; give a whole number")
    game.turn += request.get("by", 1)
    return json.dumps({"turn": game.turn}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    site = Site(
        Sessions(Counter), lambda token, game: token.encode(), {"/a.js": ("text/javascript", b"1")}, {STEP: step}
    )
    with Server(site) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


class Answer:
    """What came back: the status and the body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def error(self) -> str:
        line: str = json.loads(self.body)["error"]
        assert "\n" not in line
        return line


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        text = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if method == "POST" else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, text, sent)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def token_of(server: Server) -> str:
    return ask(server, "GET", "/").body.decode()


def test_it_listens_on_loopback_alone_unless_told_otherwise(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_every_page_has_a_game_of_its_own(server: Server) -> None:
    first, second = token_of(server), token_of(server)
    assert first != second
    assert [json.loads(ask(server, "POST", STEP, {"token": first}).body)["turn"] for _ in range(3)] == [1, 2, 3]
    assert json.loads(ask(server, "POST", STEP, {"token": second}).body)["turn"] == 1


def test_files_are_served_and_nothing_else(server: Server) -> None:
    assert ask(server, "GET", "/a.js").body == b"1"
    for path in ("/b.js", "/../pyproject.toml", "/%2e%2e/etc/passwd"):
        assert ask(server, "GET", path).status == 404


def test_pages_may_load_from_here_alone(server: Server) -> None:
    policy = ask(server, "GET", "/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
def test_another_host_is_refused(server: Server, host: str) -> None:
    answer = ask(server, "GET", "/", Host=host)
    assert answer.status == 421
    assert "open http://127.0.0.1:" in answer.error
    assert len(server.site.sessions) == 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_another_origin_is_refused(server: Server, origin: str) -> None:
    token = token_of(server)
    answer = ask(server, "POST", STEP, {"token": token}, Origin=origin)
    assert answer.status == 403
    assert ask(server, "POST", STEP, {"token": token}).body == b'{"turn": 1}'


def test_its_own_origin_is_not(server: Server) -> None:
    origin = server.url.rstrip("/")
    assert ask(server, "POST", STEP, {"token": token_of(server)}, Origin=origin).status == 200


@pytest.mark.parametrize("token", [None, "", "x" * 32, 7, [], {"a": 1}])
def test_a_token_that_is_none_is_refused(server: Server, token: object) -> None:
    answer = ask(server, "POST", STEP, {"token": token})
    assert answer.status == 410
    assert "reload the page" in answer.error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 60000, "not JSON"),
        (b"9" * 60000, "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
    ],
)
def test_a_body_that_is_nonsense_is_refused(server: Server, body: bytes, words: str) -> None:
    answer = ask(server, "POST", STEP, body)
    assert answer.status == 400
    assert words in answer.error


def test_what_a_game_refuses_is_said_and_nothing_moves(server: Server) -> None:
    token = token_of(server)
    answer = ask(server, "POST", STEP, {"token": token, "by": "far"})
    assert (answer.status, answer.error) == (400, "by='far'; give a whole number")
    assert json.loads(ask(server, "POST", STEP, {"token": token}).body)["turn"] == 1


def test_a_body_too_long_is_refused_before_it_is_read(server: Server) -> None:
    answer = ask(server, "POST", STEP, b"{}", Content_Length=str(LONGEST_BODY + 1))
    assert answer.status == 413
    assert ask(server, "POST", STEP, b"{}", Content_Length="9" * 400).status == 413


@pytest.mark.parametrize("length", ["-1", "x", "٣", "1e3"])
def test_a_length_that_is_none_is_refused(server: Server, length: str) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        head = f"POST {STEP} HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\nContent-Type: application/json\r\n"
        client.sendall((head + f"Content-Length: {length}\r\n\r\n{{}}").encode())
        assert client.recv(64).startswith(b"HTTP/1.1 411")


def test_another_media_type_is_refused(server: Server) -> None:
    """A form of another site can be posted without asking; it cannot be JSON."""
    assert ask(server, "POST", STEP, b"{}", Content_Type="text/plain").status == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
def test_another_method_is_refused(server: Server, method: str) -> None:
    assert ask(server, method, "/").status == 501


def test_an_unknown_request_names_the_known(server: Server) -> None:
    assert STEP in ask(server, "POST", "/api/fly", {}).error


def test_a_client_that_says_nothing_is_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall(b"POST /api/step HTTP/1.1\r\n")
        assert client.recv(1) == b""
    assert ask(server, "GET", "/a.js").status == 200


def test_ten_thousand_requests_of_nonsense_leave_it_alive(server: Server) -> None:
    chance = random.Random(1)
    token = token_of(server)
    host = f"127.0.0.1:{server.server_port}"
    for _ in range(10_000):
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
            if chance.random() < 0.5:
                client.sendall(body + b"\r\n\r\n")
            else:
                head = f"POST {STEP} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
                client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            client.recv(16)
    assert json.loads(ask(server, "POST", STEP, {"token": token}).body)["turn"] == 1


def test_a_port_in_use_is_one_line(server: Server) -> None:
    site = server.site
    with pytest.raises(CivsimError, match=rf"cannot listen on 127.0.0.1:{server.server_port}: .*; give another --port"):
        Server(site, port=server.server_port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("256.1.1.1", 0), ("no such host", 0)])
def test_an_address_that_is_none_is_one_line(server: Server, host: str, port: int) -> None:
    with pytest.raises(CivsimError, match="cannot listen on"):
        Server(server.site, host, port)


def test_sessions_expire_and_the_oldest_goes_when_there_are_too_many() -> None:
    now = [0.0]
    sessions = Sessions(Counter, most=2, idle=10.0, clock=lambda: now[0])
    first, _ = sessions.open()
    now[0] = 1.0
    second, _ = sessions.open()
    now[0] = 1.5
    sessions.find(first)
    now[0] = 2.0
    third, _ = sessions.open()
    with pytest.raises(RefusalError):
        sessions.find(second)
    assert sessions.find(first) is not sessions.find(third)
    now[0] = 13.0
    with pytest.raises(RefusalError, match="reload"):
        sessions.find(first)
    assert len(sessions) == 0
