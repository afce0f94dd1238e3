"""The environment is registered when Gymnasium comes, and nothing else is changed by waiting for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

WAITING = "any(type(f).__name__ == '_Watcher' for f in sys.meta_path)"


def fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_waits_without_importing_gymnasium_and_is_gone_afterwards() -> None:
    code = (
        f"import sys, civsim\nassert {WAITING} and 'gymnasium' not in sys.modules\n"
        f"import gymnasium\nassert not {WAITING}\n"
        "print(type(gymnasium.__loader__).__name__, gymnasium.__spec__.loader is gymnasium.__loader__)"
    )
    assert fresh(code) == "SourceFileLoader True"


@pytest.mark.parametrize("first", ["gymnasium.spaces", "gymnasium.envs.registration", "gymnasium.vector"])
def test_a_submodule_may_come_first(first: str) -> None:
    code = f"import civsim, {first}\nimport gymnasium\nprint('civsim/Civilization-v1' in gymnasium.registry)"
    assert fresh(code) == "True"


def test_asking_whether_gymnasium_is_there_does_not_end_the_wait() -> None:
    """Libraries that use Gymnasium where there is one ask before they import it; TorchRL does."""
    code = (
        "import sys, civsim\nfrom importlib.util import find_spec\n"
        "for _ in range(2):\n    spec = find_spec('gymnasium')\n"
        "    assert spec.origin == spec.loader.get_filename('gymnasium') and 'gymnasium' not in sys.modules\n"
        f"import gymnasium\nassert not {WAITING}\n"
        "assert type(find_spec('gymnasium').loader).__name__ == 'SourceFileLoader'\n"
        "print('civsim/Civilization-v1' in gymnasium.registry)"
    )
    assert fresh(code) == "True"


def test_an_import_of_gymnasium_that_failed_may_be_tried_again() -> None:
    code = (
        "import sys, civsim\nsys.modules['gymnasium.core'] = None\n"
        "try:\n    import gymnasium\nexcept ModuleNotFoundError:\n    del sys.modules['gymnasium.core']\n"
        "import gymnasium\nprint('civsim/Civilization-v1' in gymnasium.registry)"
    )
    assert fresh(code) == "True"


def test_installing_twice_waits_once() -> None:
    code = (
        "import sys, civsim\nfrom civsim import _gymnasium_hook\n_gymnasium_hook.install()\n"
        "print(sum(type(f).__name__ == '_Watcher' for f in sys.meta_path))"
    )
    assert fresh(code) == "1"


def test_without_gymnasium_there_is_no_harm() -> None:
    code = (
        "import sys, civsim\n"
        "sys.path = [p for p in sys.path if 'site-packages' not in p]\n"
        "try:\n    import gymnasium\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )
    assert fresh(code) == "gymnasium"


def test_a_module_of_another_name_is_left_alone() -> None:
    assert fresh("import civsim, colorsys\nprint(colorsys.__spec__.name)") == "colorsys"
