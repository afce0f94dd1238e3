"""Arrays in npz files that are safe to open: no pickle, every name, dtype and size checked before it is read."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from civsim.base.errors import CivsimError
from civsim.base.files import atomic_path

_SUFFIX = ".npy"
_STAMP = (1980, 1, 1, 0, 0, 0)
"""Time written into archives: the same arrays give the same bytes."""

_MAX_HEADER = 4096
_MAX_AXES = 8
_MAX_REASON = 120

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    TokenError,
)
"""What the readers of zip and npy raise for files that are not what they seem."""


def write_archive(path: str | Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays to an npz file. It appears whole or not at all; the same arrays give the same bytes."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            npy.write_array(buffer, np.asarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + _SUFFIX, _STAMP), buffer.getvalue(), zipfile.ZIP_DEFLATED)


class Wanted(NamedTuple):
    """What one array of an archive must be."""

    dtype: np.dtype[Any]
    largest: int  # most elements it may have
    exact: bool = False  # of this very dtype; else any floating for floating, any integer that fits for integer
    whole: bool = False  # integers are taken for floating, too


def read_archive(
    path: str | Path,
    wanted: Mapping[str, Wanted],
    what: str,
    error: type[CivsimError],
    names: Collection[str] | None = None,
    optional: Collection[str] = (),
) -> dict[str, NDArray[Any]]:
    """Return the arrays ``wanted`` of an npz file that must hold exactly ``names`` (default: those wanted).

    Those that are ``optional`` it may hold or not; what it does not hold is not in the answer.

    Sizes are checked before anything is unpacked: a small file that would fill the memory is refused. ``what``
    names the file in messages.

    Raises:
        error: the file is missing, no npz, cut short, or an array is missing, unknown, too large or of another dtype.
    """
    place = f"{what}={str(path)!r}"
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry.filename.removesuffix(_SUFFIX) for entry in archive.infolist()]
            absent = set(optional) - set(found)
            _check_names(found, set(wanted if names is None else names) - absent, place, error)
            rules = {name: rule for name, rule in wanted.items() if name not in absent}
            return {name: _read(archive, name, rule, place, error) for name, rule in rules.items()}
    except error:
        raise
    except FileNotFoundError:
        raise error(f"{place} does not exist; give the path of an npz file") from None
    except UNREADABLE as fault:
        reason = " ".join(str(fault).split())[:_MAX_REASON] or type(fault).__name__
        raise error(f"{place} cannot be read as npz ({reason}); write it again") from None


def _check_names(found: list[str], names: Collection[str], place: str, error: type[CivsimError]) -> None:
    missing = sorted(set(names) - set(found))
    if missing:
        raise error(f"{place} lacks the array {missing[0]!r} ({len(missing)} missing); write it again")
    if len(found) > len(names):
        extra = min(set(found) - set(names), default=max(found, key=found.count))
        raise error(f"{place} holds an array {extra[:_MAX_REASON]!r} too many; drop it")


def _read(archive: zipfile.ZipFile, name: str, rule: Wanted, place: str, error: type[CivsimError]) -> NDArray[Any]:
    with archive.open(name + _SUFFIX) as stream:
        version = npy.read_magic(stream)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read_header is None:
            raise error(f"{place} has array {name!r} in npy version {version}; write it again with numpy")
        shape, fortran, dtype = read_header(stream, max_header_size=_MAX_HEADER)
        count = math.prod(shape)
        if len(shape) > _MAX_AXES or count > rule.largest or min(shape, default=0) < 0:
            raise error(f"{place} has array {name!r} of shape {shape}; at most {rule.largest} elements fit")
        if not fits(dtype, rule):
            raise error(f"{place} has array {name!r} of dtype {dtype}; it must be {rule.dtype}")
        size = count * dtype.itemsize
        data = stream.read(size + 1)
    if len(data) != size:
        raise error(f"{place} has array {name!r} with {len(data)} bytes where {size} belong; write it again")
    values = np.frombuffer(data, dtype, count).reshape(shape, order="F" if fortran else "C")
    with np.errstate(all="ignore"):
        converted = np.array(values, rule.dtype, order="C")
    if rule.dtype.kind in "iu" and not np.array_equal(converted, values):
        raise error(f"{place} has array {name!r} with values that do not fit {rule.dtype}; write it again")
    return converted


def fits(dtype: np.dtype[Any], rule: Wanted) -> bool:
    """Return whether values of ``dtype`` are acceptable under ``rule``; Python objects never are."""
    if rule.exact or dtype.hasobject:
        return dtype == rule.dtype
    if rule.whole and dtype.kind in "iu":
        return True
    return dtype.kind == "f" if rule.dtype.kind == "f" else dtype.kind in "iub"
