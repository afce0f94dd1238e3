"""What a person is told while kernels are compiled."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from civsim.base import kernels


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    shown = Terminal()
    # Pytest puts streams of its own into sys between a fixture and its test.
    monkeypatch.setattr(kernels, "sys", SimpleNamespace(stderr=shown, __stderr__=shown))
    monkeypatch.setattr(kernels, "advice", lambda: None)
    return shown


def test_a_terminal_shows_one_line_for_all_that_is_compiled(terminal: Terminal) -> None:
    notice = kernels._Notice()
    with notice.stretch(), notice.stretch():
        notice.missed()
        assert terminal.getvalue() == "compiling kernels (once; about half a minute) …"
        notice.missed()
    assert terminal.getvalue() == "compiling kernels (once; about half a minute) …\rcompiled kernels in 0 s\033[K\n"


def test_without_compilation_nothing_is_shown(terminal: Terminal) -> None:
    with kernels._Notice().stretch():
        pass
    assert terminal.getvalue() == ""


def test_outside_of_a_stretch_nothing_is_shown(terminal: Terminal) -> None:
    notice = kernels._Notice()
    notice.missed()
    assert terminal.getvalue() == ""


def test_compilation_that_is_interrupted_does_not_say_that_it_is_done(terminal: Terminal) -> None:
    notice = kernels._Notice()

    def interrupted() -> None:
        with notice.stretch():
            notice.missed()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.getvalue().endswith("\rgave up compiling kernels after 0 s\033[K\n")


def test_above_a_bar_the_line_is_left_as_it_is(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels.sys, "__stderr__", io.StringIO())
    notice = kernels._Notice()
    with notice.stretch():
        notice.missed()
    assert terminal.getvalue() == "compiling kernels (once; about half a minute) …\n"


def test_a_file_and_a_worker_show_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = kernels._Notice()
    with monkeypatch.context() as worker:
        worker.setattr(kernels, "parent_process", object)
        with notice.stretch():
            notice.missed()
    monkeypatch.setattr(kernels.sys, "stderr", shown := io.StringIO())
    with notice.stretch():
        notice.missed()
    assert terminal.getvalue() == shown.getvalue() == ""


def test_how_to_keep_kernels_is_said_once_and_only_where_some_were_compiled(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "advice", lambda: "set NUMBA_CACHE_DIR")
    notice = kernels._Notice()
    notice.advise()
    assert terminal.getvalue() == ""
    with notice.stretch():
        notice.missed()
    notice.advise()
    assert terminal.getvalue().splitlines()[-1] == "civsim: set NUMBA_CACHE_DIR"
    assert terminal.getvalue().count("NUMBA_CACHE_DIR") == 1
