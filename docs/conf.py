"""The documentation site: Markdown pages, an executed tutorial, and the reference from docstrings.

``make docs`` builds it with warnings as errors and without a network: pages name no other host for scripts, styles or
fonts, and formulas are text.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# The tutorial plays games in the folder of the build, on one thread, as the suite does.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["NO_COLOR"] = "1"
os.environ["COLUMNS"] = "140"  # of the commands' tables
os.environ["CIVSIM_DOCS_ROOT"] = str(HERE.parent)
os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))

project = "civsim"
author = "civsim contributors"
project_copyright = author
version = release = version_of("civsim")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
nitpicky = False

html_theme = "furo"
html_title = f"civsim {release}"
html_static_path = ["_static"]
html_css_files = ["civsim.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

nb_execution_mode = "force" if os.environ.get("CIVSIM_DOCS_EXECUTE", "1") == "1" else "off"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

_FIELD = re.compile(r"^    (\w+): [^#\n]+?  # (\S.*)$", re.MULTILINE)


def _fields_of_a_record(_app: Any, what: str, _name: str, thing: Any, _options: Any, lines: list[str]) -> None:
    """Give a NamedTuple its table of fields, which stands in comments beside them, and drop the rest of its members."""
    if what != "class" or not hasattr(thing, "_fields"):
        return
    import inspect

    meanings = dict(_FIELD.findall(inspect.getsource(thing)))
    lines.append("")
    lines.extend(f"* ``{name}``: {meanings[name]}" for name in thing._fields if name in meanings)
    lines.append("")


def _skip(_app: Any, _what: str, name: str, thing: Any, skip: bool, _options: Any) -> bool | None:
    """Leave out what a NamedTuple or pydantic adds to a class, and what is only imported: it says nothing of ours."""
    if type(thing).__name__ == "_tuplegetter" or name in {"model_config", "model_fields", "model_computed_fields"}:
        return True
    if not (getattr(thing, "__module__", None) or "civsim").startswith("civsim"):
        return True
    return skip or None


def _examples(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Show an indented block that follows a paragraph as the code that it is; sections follow their heading at once."""
    before, number = "", 0
    while number < len(lines):
        line = lines[number]
        starts = line.startswith("    ") and number > 0 and not lines[number - 1].strip()
        if starts and before and not before.startswith(" ") and not before.endswith(("::", ":")):
            lines[number:number] = ["::", ""]
            number += 2
        if line.strip():
            before = line
        number += 1


def _bars(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Keep |x| from being read as a substitution: bars in our docstrings are absolute values and sizes."""
    for number, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [text.replace("|", "\\|") for text in parts[::2]]
        lines[number] = "``".join(parts)


_OUTSIDE = {"](../CONTRIBUTING.md": "](contributing.md", "](../CHANGELOG.md": "](changelog.md"}
"""Pages that lie at the root of the repository, by the name that they have here."""


def _link_to_pages(_app: Any, _name: str, content: list[str]) -> None:
    """Point links that leave the folder, as they must in the repository, to the site's own copies of those pages."""
    for old, new in _OUTSIDE.items():
        content[0] = content[0].replace(old, new)


def setup(app: Any) -> dict[str, bool]:
    """Connect what is above to Sphinx."""
    app.connect("source-read", _link_to_pages)
    app.connect("autodoc-process-docstring", _fields_of_a_record)
    app.connect("autodoc-process-docstring", _examples, priority=400)  # before sections are read
    app.connect("autodoc-process-docstring", _bars)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
