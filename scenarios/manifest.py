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
from civsim.base.files import is_leftover, write_text
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
        "civsim": package_version("civsim"),
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
        "command": command,
        **provenance(),
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
    }


def provenance() -> dict[str, Any]:
    """Return what every manifest says of where its results come from: when, by which rules and code, on what."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "rules": RULES_VERSION,
        "code": source_digest(),
        "versions": {name: package_version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "git": git_state(),
    }


def is_begun(folder: Path, resume: bool) -> bool:
    """Return whether a folder for results holds some already, to go on with; it need not exist.

    Raises:
        ResultsError: it is a file, or it holds something and is not to be gone on with.
    """
    shown = show_value(str(folder))
    if folder.exists() and not folder.is_dir():
        raise ResultsError(f"{shown} is a file; give the name of a folder")
    begun = folder.is_dir() and any(not is_leftover(path) for path in folder.iterdir())
    if begun and not resume:
        raise ResultsError(f"{shown} is not empty; add --resume to go on with it, or give a new folder")
    return begun


def check_same(folder: Path, digest: str, files: Mapping[str, str]) -> None:
    """Check that a results folder was begun with the study that has this hash, and by the code that runs now.

    ``files`` are the digests of the files that its games depend on, by how they are named.

    Raises:
        ResultsError: it was not, or its manifest cannot be read.
    """
    found = read(folder)
    before = found.get("files") if found["hash"] != digest else None
    was = before if isinstance(before, dict) else {}
    for name, now in files.items():
        if was.get(name, now) != now:
            raise ResultsError(
                f"{show_value(str(folder))} was begun with another {name!r}, which has changed since; put it back as "
                "it was, or give a new folder"
            )
    compare(folder, found, digest, "study")


def compare(folder: Path, found: Mapping[str, Any], digest: str, what: str) -> None:
    """Check that ``found``, the manifest of a folder, has this hash; ``what`` is what it would be another of.

    Raises:
        ResultsError: it has not; where other code played, the message says so.
    """
    shown = show_value(str(folder))
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
        f"{shown} holds another {what} (hash {found['hash'][:_SHOWN_DIGITS]}, not {digest[:_SHOWN_DIGITS]}); "
        f"give a new folder, or the {what} and version that it was begun with"
    )


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a results folder, whole."""
    write_text(folder / FILE, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def read(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a results folder.

    Raises:
        ResultsError: there is none, it is damaged, or it is of another format.
    """
    manifest = read_json(Path(folder), FILE, "civsim batch")
    _check(manifest, Path(folder) / FILE)
    return dict(manifest)


def read_json(where: Path, name: str, command: str) -> Any:
    """Return what the JSON file ``name`` of a folder holds; ``command`` is the one that writes such folders.

    Raises:
        ResultsError: there is no such folder or file, or it is damaged or huge.
    """
    shown, path = show_value(str(where)), where / name
    if not where.is_dir():
        raise ResultsError(f"{shown} is not a folder; give the folder that `{command}` wrote")
    try:
        if path.stat().st_size > _LARGEST:
            raise ResultsError(f"{show_value(str(path))} is larger than {_LARGEST} bytes; it is no manifest of civsim")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{shown} has no {name}; give the folder that `{command}` wrote") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ResultsError):
            raise
        detail = one_line(error)[:120]
        raise ResultsError(f"{show_value(str(path))} is damaged ({detail}); run `{command}` again elsewhere") from None


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


def package_version(name: str) -> str | None:
    """Return the version of an installed package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
