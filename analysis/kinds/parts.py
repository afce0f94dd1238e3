"""Kinds that ask the same of several parts, channels or things bought: each part of each stratum stands by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.rows import each_stratum
from civsim.analysis.results import Results, Stratum
from civsim.base.errors import ResultsError


def each_part(
    results: Results,
    name: str,
    parts: Mapping[str, Sequence[str]],
    one: Callable[[str, Stratum], dict[str, pd.DataFrame]],
) -> dict[str, pd.DataFrame]:
    """Return the tables that ``one`` makes of each part and stratum, stacked, with the columns ``name``, ``stratum``.

    ``parts`` maps a part to the columns that vary inside its strata. A part or a stratum of which no estimate can be
    made is listed in the table :data:`~civsim.analysis.kinds.kind.SKIPPED` and does not stop the others.

    Raises:
        ResultsError: no part has tables; the message is the last part's.
    """
    made: dict[str, list[pd.DataFrame]] = {}
    skipped: list[pd.DataFrame] = []
    for part, columns in parts.items():
        try:
            tables = each_stratum(results, columns, partial(one, part))
        except ResultsError as error:
            skipped.append(pd.DataFrame([{"stratum": part, "reason": str(error)}]))
            continue
        lacking = tables.pop(SKIPPED, None)
        if lacking is not None:
            skipped.append(lacking.assign(stratum=lacking["stratum"] + f", {part}"))
        for key, table in tables.items():
            made.setdefault(key, []).append(
                pd.concat([pd.Series(part, table.index, name=name, dtype=object), table], axis=1)
            )
    if not made:
        last = skipped[-1].iloc[-1] if skipped else {"stratum": "the study", "reason": "it has no part to look at"}
        raise ResultsError(f"{last['stratum']}: {last['reason']}")
    stacked = {key: pd.concat(tables, ignore_index=True) for key, tables in made.items()}
    return stacked | ({SKIPPED: pd.concat(skipped, ignore_index=True)} if skipped else {})
