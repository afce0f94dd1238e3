"""Build the wheel from a copy of the tree, install it elsewhere, and look at it there.

python tests/support/wheels.py types      mypy on the installed wheel
python tests/support/wheels.py play       import it, ask it for help, play a scenario from it
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tree import ROOT, SISTERS

FILES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
FOLDERS = ("civsim", *SISTERS)
SDIST = "from setuptools import build_meta; build_meta.build_sdist({folder!r})"

PLAY = """
import civsim, sys
assert {site!r} in civsim.__file__, civsim.__file__
scenario = civsim.load_scenario("baseline")
world = civsim.World(scenario, n_worlds=2, seed=1)
policies = civsim.seat_policies(scenario)
for _ in range(5):
    record = world.step(policies.shares(world))
assert (record.turn == 5).all() and (record.output > 0).any()
print("played 5 turns from", civsim.__file__)
"""


def source_of(folder: Path) -> Path:
    """Copy what a checkout builds from into ``folder``, links as links: no stale build folder joins in."""
    source = folder / "source"
    source.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    return source


def build(folder: Path, source: Path | None = None) -> Path:
    """Build the wheel in ``folder``, from a copy of the tree or from ``source``, and return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run([*command, "--wheel-dir", str(folder / "dist"), str(source or source_of(folder))], folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def build_sdist(folder: Path) -> Path:
    """Build the source distribution in ``folder`` from a copy of the tree, and return its path."""
    run([sys.executable, "-c", SDIST.format(folder=str(folder))], source_of(folder))
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(wheel: Path, site: Path) -> None:
    """Install the wheel alone into the folder ``site``."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(site)]
    run([*command, str(wheel)], wheel.parent)


def environment(site: Path) -> dict[str, str]:
    """The environment in which ``civsim`` is the one installed in ``site``."""
    return {**os.environ, "PYTHONPATH": str(site), "MYPYPATH": str(site)}


def run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    """Run a command in ``folder`` and return what it printed; on failure say what it printed."""
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}exit code {done.returncode}")
    return done.stdout


def main(what: str) -> None:
    """Check the installed wheel from another folder: its types, or that it plays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site, elsewhere = folder / "site", folder / "elsewhere"
        elsewhere.mkdir()
        install(build(folder), site)
        env = environment(site)
        if what == "types":
            # A cache kept between runs would be of another folder, and has hidden errors.
            config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(folder / "cache")]
            print(run([sys.executable, "-m", "mypy", *config, "-p", "civsim"], elsewhere, env), end="")
        elif what == "play":
            run(
                [sys.executable, "-c", "from civsim.cli import main; raise SystemExit(main())", "--help"],
                elsewhere,
                env,
            )
            print(run([sys.executable, "-c", PLAY.format(site=str(site))], elsewhere, env), end="")
        else:
            raise SystemExit(f"{what!r} is neither 'types' nor 'play'")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "nothing")
