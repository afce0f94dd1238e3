"""The live page's server: Python's own threading HTTP server, one game for each page that is loaded.

It answers the page, its files, and what a page asks of its game. It listens on the loopback interface unless it is told
otherwise. A page is known by a token that it alone has; requests with another Host or from another Origin are
refused, so that no other site can play through somebody's browser; bodies are small and read once; what a page sends is
checked before anything moves. A session that nobody asks for a while is forgotten, and the oldest goes when there are
too many.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from civsim.base.errors import CivsimError

LONGEST_BODY = 64 * 1024
"""Bytes of a request's body, at most."""
MOST_SESSIONS = 64
IDLE_SECONDS = 30 * 60.0
"""A session is forgotten when nothing was asked of it for so long."""
PATIENCE_SECONDS = 30.0
"""A connection that says nothing for so long is closed."""
MOST_CONNECTIONS = 128
"""Connections served at once; a further one waits for a place, and is closed if none comes free."""
_TOKEN_BYTES = 24
_CLOSED = "this session is closed: the server has restarted, or nothing was asked of it for a while; reload the page"

_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class RefusalError(CivsimError):
    """A request that is answered with an error of HTTP and one line."""

    def __init__(self, status: HTTPStatus, line: str) -> None:
        super().__init__(line)
        self.status = status


class Session:
    """One page's game and its lock: requests of one page are answered one after the other."""

    def __init__(self, game: Any, now: float) -> None:
        self.game = game
        self.lock = threading.Lock()
        self.asked = now


class Sessions:
    """The games of all pages, by token.

    Args:
        begin: makes a new game.
        most: how many are kept.
        idle: seconds after which one that nobody asks is forgotten.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        begin: Callable[[], Any],
        most: int = MOST_SESSIONS,
        idle: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin, self._most, self._idle, self._clock = begin, most, idle, clock
        self._by_token: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_token)

    def open(self) -> tuple[str, Session]:
        """Begin a game; return its token and its session."""
        session, token = Session(self._begin(), self._clock()), secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._forget()
            while len(self._by_token) >= self._most:
                del self._by_token[min(self._by_token, key=lambda known: self._by_token[known].asked)]
            self._by_token[token] = session
        return token, session

    def find(self, token: Any) -> Session:
        """Return the session of a token.

        Raises:
            RefusalError: there is none.
        """
        with self._lock:
            self._forget()
            session = self._by_token.get(token) if isinstance(token, str) else None
            if session is None:
                raise RefusalError(HTTPStatus.GONE, _CLOSED)
            session.asked = self._clock()
        return session

    def _forget(self) -> None:
        limit = self._clock() - self._idle
        for token in [token for token, session in self._by_token.items() if session.asked < limit]:
            del self._by_token[token]


class Site(NamedTuple):
    """What a server serves."""

    sessions: Sessions
    page: Callable[[str, Any], bytes]  # token and game → the page
    files: dict[str, tuple[str, bytes]]  # path → media type and content
    actions: dict[str, Callable[[Any, dict[str, Any]], bytes]]  # path → game and request → answer as JSON


class Server(ThreadingHTTPServer):
    """The server of a site.

    Args:
        site: what it serves.
        host: address to listen on.
        port: port, 0 for any that is free.

    Raises:
        CivsimError: the address or the port cannot be used.
    """

    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, site: Site, host: str = "127.0.0.1", port: int = 0) -> None:
        self.site = site
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CivsimError(f"cannot listen on {host}:{port}: {reason}; give another --port, or 0 for any") from None
        self._host = host
        self.names = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost", "[::1]", host)}

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self._host}:{self.server_port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, if there is a place."""
        if not self._places.acquire(timeout=1.0):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: it is its own affair, and the server lives on."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_SECONDS
    # An answer leaves at once and in one piece; else it waits 40 ms for the other side to say that it heard the first.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server
    server_version = "civsim"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        """Write no line for each request."""

    def do_GET(self) -> None:
        """Send the page, with a game of its own, or one of its files."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Carry out what a page asks of its game."""
        self._answer(self._post)

    def _answer(self, make: Callable[[], tuple[str, bytes]]) -> None:
        try:
            self._check_sender()
            kind, content = make()
            self._send(HTTPStatus.OK, kind, content)
        except RefusalError as refusal:
            self._complain(refusal.status, str(refusal))
        except CivsimError as error:
            self._complain(HTTPStatus.BAD_REQUEST, str(error))
        except OSError:
            self.close_connection = True

    def _get(self) -> tuple[str, bytes]:
        path = urlsplit(self.path).path
        if path == "/":
            token, session = self.server.site.sessions.open()
            return "text/html; charset=utf-8", self.server.site.page(token, session.game)
        if path not in self.server.site.files:
            raise RefusalError(HTTPStatus.NOT_FOUND, "there is no such page; the game is at /")
        return self.server.site.files[path]

    def _post(self) -> tuple[str, bytes]:
        request = self._body()
        act = self.server.site.actions.get(urlsplit(self.path).path)
        if act is None:
            known = ", ".join(sorted(self.server.site.actions))
            raise RefusalError(HTTPStatus.NOT_FOUND, f"there is no such request; there are {known}")
        session = self.server.site.sessions.find(request.get("token"))
        with session.lock:
            return "application/json", act(session.game, request)

    def _check_sender(self) -> None:
        """Refuse what no page of this server sends: another Host (a rebound name), or another site's Origin."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.names:
            raise RefusalError(
                HTTPStatus.MISDIRECTED_REQUEST, f"this server is not {host[:80]!r}; open {self.server.url}"
            )
        if origin is not None and urlsplit(origin).netloc not in self.server.names:
            raise RefusalError(
                HTTPStatus.FORBIDDEN, f"pages of {origin[:80]!r} may not play here; open {self.server.url}"
            )

    def _body(self) -> dict[str, Any]:
        if self.headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body is not application/json; send JSON")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise RefusalError(HTTPStatus.LENGTH_REQUIRED, "the request states no Content-Length; state it")
        if len(length) > len(str(LONGEST_BODY)) or int(length) > LONGEST_BODY:
            line = f"a body of {length[:20]} bytes exceeds {LONGEST_BODY}; send less"
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, line)
        text = self.rfile.read(int(length))
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):
            raise RefusalError(HTTPStatus.BAD_REQUEST, "the body is not JSON; send one object") from None
        if not isinstance(request, dict):
            raise RefusalError(HTTPStatus.BAD_REQUEST, "the body is not an object; send one with its fields by name")
        return request

    def _complain(self, status: HTTPStatus, line: str) -> None:
        # What was not read of a refused body would be taken for the next request.
        self.close_connection = True
        with contextlib.suppress(OSError):
            self._send(status, "application/json", json.dumps({"error": line}).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
