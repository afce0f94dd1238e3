"""Bringing together what several machines played: the shares of one study become one results folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from civsim.base.errors import ResultsError
from civsim.base.files import atomic_folder
from civsim.base.owner import check_free
from civsim.scenarios import manifest
from civsim.scenarios.parts import LABELS, Label, check_files, explain, is_whole, label_path, read_labels
from civsim.scenarios.tables import part_file


class Merged(NamedTuple):
    """What :func:`merge_results` brought together."""

    folder: Path
    games: int
    failed: int  # of these
    parts: int
    missing: int  # parts that no folder holds; a batch with ``resume`` plays them


class _Folder(NamedTuple):
    path: Path
    manifest: Mapping[str, Any]
    labels: Mapping[int, Label]


def merge_results(folders: Sequence[str | Path], out: str | Path) -> Merged:
    """Copy the parts that ``folders`` hold of one study into the new folder ``out``.

    The tables are byte for byte those of one batch. Whatever is wrong with a folder is said before anything is
    copied, and ``out`` appears whole or not at all.

    Args:
        folders: results folders of one study, most of them begun with a share of its parts; at least one.
        out: folder to write; it must not exist.

    Raises:
        ResultsError: a folder is of another study than the first, was begun with other hypotheses, holds a part that
            another holds too, has one that is not as it was written, or is being played into; or none holds any part.
        CivsimError: ``out`` exists, or cannot be written.
    """
    given = [_open(Path(folder)) for folder in folders]
    if not given:
        raise ResultsError("0 folders to merge; give the folders of a study's shares")
    owner = _owners(given)
    if not owner:
        raise ResultsError(f"the {len(given)} folders hold no finished games; play them with `civsim batch` --resume")
    _check_registered(given)
    target, first = Path(out), given[0].manifest
    # One that has grown says that games were added after others could be looked at.
    history = max((one.manifest["history"] for one in given), key=len)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target) as folder:
        manifest.write(folder, {**first, "share": None, "history": history, "merged": [_origin(one) for one in given]})
        for name in (*first["layout"]["tables"], LABELS):
            (folder / name).mkdir()
        for number, one in sorted(owner.items()):
            _copy(one, one.labels[number], folder)
    labels = [one.labels[number] for number, one in owner.items()]
    return Merged(
        target,
        sum(label.runs for label in labels),
        sum(label.failed for label in labels),
        len(labels),
        first["layout"]["parts"] - len(labels),
    )


def _check_registered(given: Sequence[_Folder]) -> None:
    """Check that all folders were begun with the same hypotheses: what was changed after a look is not registered."""
    for one in given[1:]:
        if one.manifest["study"].get("hypotheses") != given[0].manifest["study"].get("hypotheses"):
            told = f"{str(one.path)!r} was begun with other hypotheses than {str(given[0].path)!r}"
            raise ResultsError(f"{told}; merge shares of one study file")


def _open(path: Path) -> _Folder:
    """Return a folder whose manifest, labels and file sizes have been checked."""
    found = manifest.read(path)
    check_free(path, ResultsError)
    count = found["layout"]["parts"]
    labels = read_labels(path, found["hash"], count, before=manifest.hashes_before(found))
    for name in found["layout"]["tables"]:
        check_files(path, name, labels.values(), count)
    return _Folder(path, found, labels)


def _owners(given: Sequence[_Folder]) -> dict[int, _Folder]:
    """Return which folder holds each part.

    Raises:
        ResultsError: two do, or one is of another study than the first.
    """
    owner: dict[int, _Folder] = {}
    for one in given:
        manifest.compare(one.path, one.manifest, given[0].manifest["hash"], "study")
        for number in one.labels:
            if number in owner:
                raise ResultsError(
                    f"{str(one.path)!r} and {str(owner[number].path)!r} both hold {part_file(number)}; give one of them"
                )
            owner[number] = one
    return owner


def _origin(one: _Folder) -> dict[str, Any]:
    """Return what the merged manifest keeps of where parts came from."""
    keys = ("share", "created", "command", "machine", "versions")
    return {**{key: one.manifest[key] for key in keys}, "parts": len(one.labels)}


def _copy(one: _Folder, label: Label, folder: Path) -> None:
    """Copy a part, its label last, and check that what was copied is what was written."""
    for name in label.tables:
        shutil.copyfile(one.path / name / part_file(label.number), folder / name / part_file(label.number))
        if not is_whole(folder, name, label):
            raise explain(one.path / name / part_file(label.number), name, label, one.labels.values())
    shutil.copyfile(label_path(one.path, label.number), label_path(folder, label.number))
