"""Compute the packages: ``civsim`` and its three sisters, which live beside it and ship inside it.

Everything else about the project is in pyproject.toml. The list is computed so that a new subpackage is never
left out of the wheel; tests/test_house.py compares the wheel with the tree.
"""

from setuptools import find_packages, setup

ROOTS = {"civsim": "civsim", "civsim.agents": "agents", "civsim.scenarios": "scenarios", "civsim.analysis": "analysis"}


def packages() -> dict[str, str]:
    """Return every package's import name and its folder, as setuptools wants them."""
    found = dict(ROOTS)
    for name, folder in ROOTS.items():
        for package in find_packages(folder):
            found[f"{name}.{package}"] = f"{folder}/{package.replace('.', '/')}"
    return found


PACKAGES = packages()

setup(
    packages=sorted(PACKAGES),
    package_dir=PACKAGES,
    package_data={
        "civsim": ["py.typed"],
        "civsim.agents.zoo": ["*/*.json", "*/*.npz", "*/*.safetensors"],
        "civsim.scenarios": ["**/*.toml"],
        "civsim.analysis.report": ["*.jinja"],
    },
    include_package_data=False,
)
