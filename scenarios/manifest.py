"""The manifest of a batch: what was asked, resolved; on what it was run; and the hash that --resume compares."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ResultsError
from civsim.base.files import is_leftover, write_text
from civsim.base.owner import LOCK, owned
from civsim.scenarios.complaints import one_line, show_value
from civsim.scenarios.design import Point, Resolver
from civsim.scenarios.loader import plain
from civsim.scenarios.sources import source_digest
from civsim.scenarios.study import Study

FILE = "manifest.json"
VERDICTS = "verdicts.csv"
"""File of the verdicts on a study's hypotheses; where there is one, somebody has looked."""

FORMAT = "civsim-results"
FORMAT_VERSION = 2
_CHECK = re.compile(r'^\{\n "check": "([0-9a-f]{64})",')
_PACKAGES = ("civsim", "numpy", "numba", "scipy", "pydantic", "pyarrow")
_GIT_SECONDS = 10
_LARGEST = 1 << 30
_SHOWN_DIGITS = 12
_CONTENT_DIGITS = 16


def study_hash(study: Study, points: Sequence[Point], played: Sequence[Sequence[str]], part_runs: int) -> str:
    """Return the SHA-256 of everything the tables depend on: study, points, scenarios, rules, code, layout of parts.

    ``played`` are, for each point, the content hashes of its scenarios, the files they name included, and of the code
    of the study's own metrics.
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
    contents: Sequence[Sequence[str]],
    digest: str,
    layout: Mapping[str, Any],
    files: Mapping[str, str],
    command: str | None = None,
) -> dict[str, Any]:
    """Return the manifest as plain tables, ready for :func:`write`.

    ``contents`` are, for each point, the hashes of what its tables depend on (:class:`civsim.scenarios.plan.Plan`);
    ``files`` are the digests of the files and the code among it, by how they are named; ``command`` is the command line
    that began the batch, None where there was none. ``share`` is None, or [i, n] in a folder for the i-th of n shares
    of the parts; ``history`` lists what the folder held each time before it grew, the oldest first.
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
            {
                "index": point.number,
                "levels": point.levels,
                "scenario": point.scenario,
                "settings": point.settings,
                "content": hashlib.sha256(":".join(hashes).encode()).hexdigest()[:_CONTENT_DIGITS],
            }
            for point, hashes in zip(points, contents, strict=True)
        ],
        "games": study.replicates * len(points),
        "scenarios": {name: plain(scenario) for name, scenario in resolver.bases.items()},
        "layout": dict(layout),
        "files": dict(files),
        "share": None,
        "history": [],
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
    begun = folder.is_dir() and any(path.name != LOCK and not is_leftover(path) for path in folder.iterdir())
    if begun and not resume:
        raise ResultsError(f"{shown} is not empty; add --resume to go on with it, or give a new folder")
    return begun


@contextmanager
def occupied(folder: Path, resume: bool, name: str = FILE, command: str = "civsim batch") -> Iterator[None]:
    """Own a folder for results while the block runs; it is made, and nothing in it is read before.

    ``name`` is the manifest that a folder which is gone on with must have, and ``command`` what writes such folders.

    Raises:
        ResultsError: another process owns it, or it holds something that is not to be gone on with: not a file is
            written then.
    """
    if not (folder / LOCK).exists() and is_begun(folder, resume) and not (folder / name).is_file():
        raise ResultsError(f"{show_value(str(folder))} has no {name}; give the folder that `{command}` wrote")
    folder.mkdir(parents=True, exist_ok=True)
    with owned(folder, ResultsError):
        yield


def compare(folder: Path, found: Mapping[str, Any], digest: str, what: str, remedy: str = "") -> None:
    """Check that ``found``, the manifest of a folder, has this hash; ``what`` is what it would be another of.

    ``remedy`` is what else can be done about it, for the message.

    Raises:
        ResultsError: it has not; where other code played, the message says so.
    """
    if found["hash"] == digest:
        return
    check_code(folder, found)
    shown = show_value(str(folder))
    raise ResultsError(
        f"{shown} holds another {what} (hash {found['hash'][:_SHOWN_DIGITS]}, not {digest[:_SHOWN_DIGITS]}); "
        f"give a new folder, or the {what} and version that it was begun with{remedy}"
    )


def check_files(folder: Path, found: Mapping[str, Any], digest: str, files: Mapping[str, str]) -> None:
    """Check that no file of the folder with the manifest ``found`` has changed, if it is not of the study ``digest``.

    ``files`` are the digests of the files that the study's games depend on now, code included, by how they are named.

    Raises:
        ResultsError: one was played with something else under its name.
    """
    was = {} if found["hash"] == digest else found["files"]
    for name, now in files.items():
        if was.get(name, now) != now:
            raise ResultsError(
                f"{show_value(str(folder))} was begun with another {name!r}, which has changed since; put it back as "
                "it was, or give a new folder"
            )


def check_code(folder: Path, found: Mapping[str, Any]) -> None:
    """Check that the folder with the manifest ``found`` was played by the code that runs now.

    Raises:
        ResultsError: it was not.
    """
    code = found.get("code")
    if code != source_digest():
        before = code[:_SHOWN_DIGITS] if isinstance(code, str) else "unknown"
        raise ResultsError(
            f"{show_value(str(folder))} was played by other code (sources {before}, not "
            f"{source_digest()[:_SHOWN_DIGITS]}); give a new --out, or delete the folder"
        )


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a results folder, whole; its first line holds the SHA-256 of the others."""
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    write_text(folder / FILE, '{\n "check": "' + _digest(text) + '",' + text[1:])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a results folder.

    Raises:
        ResultsError: there is none, it is of another format, or it is not as it was written.
    """
    text = _read_text(Path(folder), FILE, "civsim batch")
    manifest = _parse(text, Path(folder) / FILE, "civsim batch")
    shown = show_value(str(Path(folder) / FILE))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ResultsError(f"{shown} is no manifest of civsim; give the folder that `civsim batch` wrote")
    if manifest.get("format_version") != FORMAT_VERSION:
        found = show_value(manifest.get("format_version"))
        raise ResultsError(f"{shown} has format_version={found}; this release reads {FORMAT_VERSION}, use its own")
    said = _CHECK.match(text)
    if said is None or _digest("{" + text[said.end() :]) != said[1]:
        raise ResultsError(f"{shown} is damaged (not as it was written); put it back, or run the batch again elsewhere")
    del manifest["check"]
    return manifest


def hashes_before(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the hashes of the studies that a folder held before it grew."""
    return tuple(str(entry["hash"]) for entry in manifest["history"])


def read_json(where: Path, name: str, command: str) -> Any:
    """Return what the JSON file ``name`` of a folder holds; ``command`` is the one that writes such folders.

    Raises:
        ResultsError: there is no such folder or file, or it is damaged or huge.
    """
    return _parse(_read_text(where, name, command), where / name, command)


def _read_text(where: Path, name: str, command: str) -> str:
    shown, path = show_value(str(where)), where / name
    if not where.is_dir():
        raise ResultsError(f"{shown} is not a folder; give the folder that `{command}` wrote")
    try:
        if path.exists() and not path.is_file():
            raise ResultsError(f"{show_value(str(path))} is no file; give the folder that `{command}` wrote")
        if path.stat().st_size > _LARGEST:
            raise ResultsError(f"{show_value(str(path))} is larger than {_LARGEST} bytes; it is no manifest of civsim")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ResultsError(f"{shown} has no {name}; give the folder that `{command}` wrote") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error, command) from None


def _parse(text: str, path: Path, command: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error, command) from None


def _damaged(path: Path, error: Exception, command: str) -> ResultsError:
    return ResultsError(
        f"{show_value(str(path))} is damaged ({one_line(error)[:120]}); run `{command}` again elsewhere"
    )


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
