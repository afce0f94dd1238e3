"""The manifest of a batch: what was asked, resolved; on what it was run; and the hash that --resume compares."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ResultsError
from civsim.base.files import write_text
from civsim.scenarios.complaints import one_line, show_value
from civsim.scenarios.design import Point, Resolver
from civsim.scenarios.loader import plain
from civsim.scenarios.sources import source_digest
from civsim.scenarios.study import Study

FILE = "manifest.json"
FORMAT = "civsim-results"
FORMAT_VERSION = 1
_PACKAGES = ("civsim", "numpy", "numba", "scipy", "pydantic", "pyarrow")
_GIT_SECONDS = 10
_LARGEST = 1 << 30
_SHOWN_DIGITS = 12


def study_hash(study: Study, points: Sequence[Point], played: Sequence[Sequence[str]], part_runs: int) -> str:
    """Return the SHA-256 of everything the tables depend on: study, points, scenarios, rules, code, layout of parts.

    ``played`` are the content hashes of the scenarios of each point, the files they name included.
    """
    content = {
        "format": [FORMAT, FORMAT_VERSION, part_runs],
        "rules": RULES_VERSION,
        "civsim": _version("civsim"),
        "code": source_digest(),
        "study": study.model_dump(exclude={"question", "hypotheses"}),  # neither changes a game
        "points": [[point.levels, point.scenario, point.settings] for point in points],
        "played": [list(hashes) for hashes in played],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def build(
    study: Study,
    resolver: Resolver,
    points: Sequence[Point],
    digest: str,
    layout: Mapping[str, Any],
    command: str | None = None,
) -> dict[str, Any]:
    """Return the manifest as plain tables, ready for :func:`write`.

    ``command`` is the command line that began the batch, None where there was none.
    """
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "hash": digest,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "rules": RULES_VERSION,
        "code": source_digest(),
        "study": study.model_dump(),
        "seed": study.seed,
        "worlds": {"first": study.first_world, "a_point": study.replicates, "paired": study.paired},
        "points": [
            {"index": point.number, "levels": point.levels, "scenario": point.scenario, "settings": point.settings}
            for point in points
        ],
        "games": study.replicates * len(points),
        "scenarios": {name: plain(scenario) for name, scenario in resolver.bases.items()},
        "layout": dict(layout),
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "git": git_state(),
    }


def check_same(folder: Path, digest: str) -> None:
    """Check that a results folder was begun with the study that has this hash, and by the code that runs now.

    Raises:
        ResultsError: it was not, or its manifest cannot be read.
    """
    found, shown = read(folder), show_value(str(folder))
    if found["hash"] == digest:
        return
    code = found.get("code")
    if code != source_digest():
        before = code[:_SHOWN_DIGITS] if isinstance(code, str) else "unknown"
        raise ResultsError(
            f"{shown} was played by other code (sources {before}, not {source_digest()[:_SHOWN_DIGITS]}); "
            "give a new --out, or delete the folder"
        )
    raise ResultsError(
        f"{shown} holds another study (hash {found['hash'][:_SHOWN_DIGITS]}, not {digest[:_SHOWN_DIGITS]}); "
        "give a new folder, or the study and version that it was begun with"
    )


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a results folder, whole."""
    write_text(folder / FILE, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def read(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a results folder.

    Raises:
        ResultsError: there is none, it is damaged, or it is of another format.
    """
    where = Path(folder)
    shown = show_value(str(where))
    path = where / FILE
    if not where.is_dir():
        raise ResultsError(f"{shown} is not a folder; give the folder that `civsim batch` wrote")
    try:
        if path.stat().st_size > _LARGEST:
            raise ResultsError(f"{show_value(str(path))} is larger than {_LARGEST} bytes; it is no manifest of civsim")
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{shown} has no {FILE}; give the folder that `civsim batch` wrote") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ResultsError):
            raise
        detail = one_line(error)[:120]
        raise ResultsError(f"{show_value(str(path))} is damaged ({detail}); run the batch again elsewhere") from None
    _check(manifest, path)
    return dict(manifest)


def _check(manifest: Any, path: Path) -> None:
    shown = show_value(str(path))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ResultsError(f"{shown} is no manifest of civsim; give the folder that `civsim batch` wrote")
    if manifest.get("format_version") != FORMAT_VERSION:
        found = show_value(manifest.get("format_version"))
        raise ResultsError(f"{shown} has format_version={found}; this release reads {FORMAT_VERSION}, use its own")
    for key, kind in (("hash", str), ("study", dict), ("points", list), ("layout", dict), ("scenarios", dict)):
        if not isinstance(manifest.get(key), kind):
            raise ResultsError(f"{shown} is damaged ({key} is missing or wrong); run the batch again elsewhere")


def git_state() -> dict[str, Any] | None:
    """Return the commit that civsim's own source is at and whether it is changed; None outside a checkout of it."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return None
    commit, status = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    return {"commit": commit, "changed": None if status is None else bool(status)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (fixed program and arguments)
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
