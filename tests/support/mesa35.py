"""Run the Mesa face's tests on Mesa 3.5, which needs a Python newer than the 3.11 that everything else is tested on.

python tests/support/mesa35.py [PYTEST'S ARGUMENTS]

It is done where a Python 3.12 is found, by that name or among pyenv's, and is nothing to fail over where there is none.
What is needed is installed into .venv/mesa35, pinned by constraints.txt but for Mesa and what it holds back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tree import ROOT

HOME = ROOT / ".venv" / "mesa35"
STAMP = HOME / "installed"
WANTED = (
    *("mesa[viz]>=3.5,<4", "gymnasium", "hypothesis", "ipyvuetify<2", "networkx", "numba", "numpy", "pandas"),
    *("pydantic", "pytest", "safetensors", "scipy", "solara-assets", "tomli-w"),
)
UNPINNED = ("mesa", "starlette")
TESTS = ("tests/faces/test_answers.py", "tests/faces/test_mesa.py", "tests/faces/test_mesa_tools.py")
WHICH = "import mesa, sys; print('Mesa', mesa.__version__, 'on Python', sys.version.split()[0], flush=True)"


def find_python() -> str | None:
    """Return a Python 3.12 that starts (pyenv's shim is there for versions that are not chosen, too), or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (shutil.which("python3.12"), *sorted(map(str, pyenv.glob("3.12*/bin/python3.12")))):
        if candidate and not subprocess.run([candidate, "-c", ""], capture_output=True).returncode:
            return candidate
    return None


def pinned() -> str:
    """Return constraints.txt without what Mesa 3.5 wants otherwise."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.split("==")[0].lower() not in UNPINNED)


def install(python: str) -> None:
    """Make the environment, unless it is there and newer than the pins and this file."""
    sources = (ROOT / "constraints.txt", Path(__file__))
    if STAMP.is_file() and all(STAMP.stat().st_mtime > source.stat().st_mtime for source in sources):
        return
    subprocess.run([python, "-m", "venv", "--clear", str(HOME)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(pinned(), encoding="utf-8")
        pip = [str(HOME / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--constraint", str(constraints), *WANTED], check=True)
    STAMP.touch()


def main(arguments: list[str]) -> int:
    """Install what is needed and run the tests; return pytest's exit code."""
    python = find_python()
    if python is None:
        print("no Python 3.12 here: the Mesa face is tested on Mesa 3.3 only")
        return 0
    install(python)
    own, env = str(HOME / "bin" / "python"), {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([own, "-c", WHICH], cwd=ROOT, check=True)
    return subprocess.run([own, "-m", "pytest", "-q", *TESTS, *arguments], cwd=ROOT, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
