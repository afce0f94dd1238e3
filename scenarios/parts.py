"""What each part of a results folder holds, so that a folder can be checked before it is believed.

Beside the tables of part 5 lies ``parts/part-000005.json``, its *label*: number, points, world ids, failed games, and
of every table the rows, bytes and SHA-256. A label is written last, so that a part without one was never finished. A
reader lists the folder and looks at every label, file name and size first, which costs a fraction of a millisecond a
part; the digest of a file is taken when the file is read, in the one pass that is needed anyhow.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from civsim.base.errors import CivsimError, ResultsError
from civsim.base.files import write_bytes
from civsim.scenarios.complaints import one_line
from civsim.scenarios.tables import METADATA_KEY, part_file

LABELS = "parts"
"""Folder of the labels."""

FORMAT = "civsim-part"
_NAME = re.compile(r"^part-(\d{6,})\.(parquet|json)$")
_COMPRESSION = "zstd"
_REPLAY = "`civsim batch --resume` plays it again"
_LARGEST_LABEL = 1 << 24


class DamagedPartError(ResultsError):
    """A part of this very folder that is not what was written; it can be played again."""


class Stored(NamedTuple):
    """One table of a part, as it was written."""

    rows: int
    bytes: int
    sha256: str


class Label(NamedTuple):
    """What a part holds."""

    number: int
    study: str  # hash of the study it is of
    failed: int  # games that failed
    pieces: tuple[tuple[int, int, int], ...]  # point, id of the first world, worlds
    tables: Mapping[str, Stored]  # by the name of the table

    @property
    def runs(self) -> int:
        """Games in it."""
        return sum(count for _, _, count in self.pieces)


def write_part(folder: Path, label: Label, tables: Mapping[str, pa.Table]) -> Label:
    """Write the tables of a part into their folders, then its label; return the label, its tables filled in.

    Raises:
        CivsimError: one of them cannot be written; without its label the part counts as not played.
    """
    stored = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression=_COMPRESSION, write_page_checksum=True)
        content = sink.getvalue().to_pybytes()
        stored[name] = Stored(table.num_rows, len(content), hashlib.sha256(content).hexdigest())
        _write(folder / name / part_file(label.number), content)
    whole = label._replace(tables=stored)
    _write(label_path(folder, label.number), _label_text(whole).encode())
    return whole


def _write(path: Path, content: bytes) -> None:
    try:
        write_bytes(path, content)
    except CivsimError as error:
        raise ResultsError(f"{error}; go on with --resume") from None


def label_path(folder: Path, number: int) -> Path:
    """Return the file of a part's label."""
    return folder / LABELS / part_file(number).replace(".parquet", ".json")


def _label_text(label: Label) -> str:
    said: dict[str, Any] = {
        "format": FORMAT,
        "part": label.number,
        "study": label.study,
        "failed": label.failed,
        "pieces": [list(piece) for piece in label.pieces],
        "tables": {name: stored._asdict() for name, stored in label.tables.items()},
    }
    return json.dumps(said | {"check": _check(said)}, sort_keys=True) + "\n"


def _check(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read_label(folder: Path, number: int) -> Label:
    """Return the label of a part.

    Raises:
        DamagedPartError: it is not as it was written, or it is another part's.
    """
    path = label_path(folder, number)
    shown = repr(str(path))
    try:
        with path.open("rb") as handle:
            said = json.loads(handle.read(_LARGEST_LABEL))
        if said["format"] != FORMAT or said.pop("check") != _check(said):
            raise DamagedPartError(f"{shown} is damaged (not as it was written); {_REPLAY}")
        pieces = tuple((int(point), int(first), int(count)) for point, first, count in said["pieces"])
        tables = {str(name): Stored(**stored) for name, stored in said["tables"].items()}
        label = Label(int(said["part"]), str(said["study"]), int(said["failed"]), pieces, tables)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, DamagedPartError):
            raise
        raise DamagedPartError(f"{shown} is damaged ({_detail(error)}); {_REPLAY}") from None
    if label.number != number:
        raise DamagedPartError(f"{shown} is the label of part {label.number}; {_REPLAY}")
    return label


def numbers(folder: Path, name: str, count: int) -> set[int]:
    """Return the numbers of the parts that have a file in the folder of a table, or of labels, of ``count`` parts.

    Raises:
        ResultsError: a file there can be no part's: its name is another, or its number too large.
    """
    kind = "json" if name == LABELS else "parquet"
    found: set[int] = set()
    where = folder / name
    for path in where.iterdir() if where.is_dir() else ():
        said = _NAME.match(path.name)
        if said is not None and said[2] == kind and int(said[1]) < count and _is_file(path):
            found.add(int(said[1]))
        elif not path.name.startswith(".") and (path.name.startswith("part-") or path.suffix in (".parquet", ".json")):
            raise ResultsError(f"{str(path)!r} is no part of this study; remove it from the folder")
    return found


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def read_labels(folder: Path, study: str, count: int, *, before: Collection[str] = ()) -> dict[int, Label]:
    """Return the labels of the parts that are finished, by number, rising.

    Those of studies whose hash is in ``before`` are left out: the folder held them before it grew.

    Raises:
        DamagedPartError: a label is damaged, or another part's.
        ResultsError: a label is another study's, or a file lies there that is no label.
    """
    found = {}
    for number in sorted(numbers(folder, LABELS, count)):
        label = read_label(folder, number)
        if label.study in before:
            continue
        if label.study != study:
            path = repr(str(label_path(folder, number)))
            raise ResultsError(f"{path} is of another study than the manifest; remove it from the folder")
        found[number] = label
    return found


def check_files(folder: Path, name: str, labels: Collection[Label], count: int) -> None:
    """Check that every part has its file in the folder of a table, of the size it was written with.

    Raises:
        DamagedPartError: one is missing, or longer or shorter than it was.
        ResultsError: a file lies there that is no part of the study.
    """
    there = numbers(folder, name, count)
    for label in labels:
        path = folder / name / part_file(label.number)
        if label.number not in there or name not in label.tables:
            where = repr(str(folder / name))
            raise DamagedPartError(f"{where} lacks {path.name}; add it with `civsim batch --resume`")
        if path.stat().st_size != label.tables[name].bytes:
            raise explain(path, name, label, labels)


def read_part(folder: Path, name: str, label: Label, others: Iterable[Label] = ()) -> pa.Table:
    """Return one table of a part, if it is bit for bit what was written.

    Raises:
        ResultsError: it is not; the message says what it is instead, ``others`` being the labels of its neighbours.
    """
    path = folder / name / part_file(label.number)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedPartError(f"{str(path)!r} cannot be read ({error.strerror}); {_REPLAY}") from None
    if hashlib.sha256(content).hexdigest() != label.tables[name].sha256:
        raise explain(path, name, label, others)
    return pq.read_table(pa.BufferReader(content))


def check_whole(folder: Path, name: str, labels: Collection[Label]) -> None:
    """Check that one table of some parts is bit for bit what was written, for whoever reads it by other means.

    Raises:
        ResultsError: a part is not; as :func:`read_part`.
    """
    for label in labels:
        if not is_whole(folder, name, label):
            raise explain(folder / name / part_file(label.number), name, label, labels)


def is_whole(folder: Path, name: str, label: Label) -> bool:
    """Return whether a table of a part is bit for bit what was written."""
    path = folder / name / part_file(label.number)
    stored = label.tables.get(name)
    try:
        if stored is None or path.is_symlink() or path.stat().st_size != stored.bytes:
            return False
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest() == stored.sha256
    except OSError:
        return False


def check_replaceable(path: Path, name: str, studies: Collection[str]) -> None:
    """Check that a file in a part's place may be written over: it is missing, unreadable, or of one of ``studies``.

    Raises:
        ResultsError: it is a whole table of something else.
    """
    if path.is_symlink():
        raise ResultsError(f"{str(path)!r} is a link; remove it from the folder")
    if not path.exists():
        return
    try:
        said = _metadata(path)
    except (OSError, ValueError, pa.ArrowException):
        return
    complaint = _foreign(path, name, said, studies)
    if complaint is not None:
        raise complaint


def explain(path: Path, name: str, label: Label, others: Iterable[Label]) -> ResultsError:
    """Return the complaint about a file that is not what its label says: damaged, another part's, or a stranger's."""
    shown = repr(str(path))
    try:
        said = _metadata(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, pa.ArrowException) as error:
        return DamagedPartError(f"{shown} is damaged or no Parquet ({_detail(error)}); {_REPLAY}")
    complaint = _foreign(path, name, said, (label.study,))
    if complaint is not None:
        return complaint
    for other in others:
        if name in other.tables and other.tables[name].sha256 == digest:
            return DamagedPartError(f"{shown} holds {part_file(other.number)}; {_REPLAY}")
    return DamagedPartError(f"{shown} is damaged (not as it was written); {_REPLAY}")


def _metadata(path: Path) -> Any:
    with pq.ParquetFile(path) as file:
        return json.loads((file.schema_arrow.metadata or {}).get(METADATA_KEY, b"null"))


def _foreign(path: Path, name: str, said: Any, studies: Collection[str]) -> ResultsError | None:
    shown = repr(str(path))
    if not isinstance(said, dict) or said.get("table") != name:
        return ResultsError(f"{shown} is not a {name} table of civsim; remove it from the folder")
    if said.get("study_hash") not in studies:
        return ResultsError(f"{shown} is of another study than the manifest; remove it from the folder")
    return None


def _detail(error: Exception) -> str:
    return one_line(error)[:120]
