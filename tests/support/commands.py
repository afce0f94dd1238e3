"""The command line called in this process: what it said, or how it refused."""

from __future__ import annotations

import pytest

from civsim.cli import main


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command line, expect success and no complaint, and return what it said."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command line, expect one line of complaint on stderr and nothing else, and return it."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("civsim: error: ")
    assert err.count("\n") == 1
    return err
