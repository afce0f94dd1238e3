"""Numbers that threads look for: what is answered, what is seen, and how long is looked."""

from __future__ import annotations

import time
from threading import Thread

import numpy as np
import pytest

from civsim.engine.signals import LINE, _all_answered, _answer, all_answered, answer

LONG = 10**9


@pytest.mark.parametrize("one", [answer, _answer])
def test_an_answer_is_given_and_what_is_asked_is_seen(one: object) -> None:
    asked, answered = np.zeros(3 * LINE, np.int64), np.zeros(3 * LINE, np.int64)
    assert one(asked, answered, LINE, 7, 5, 0) == 0
    assert answered.tolist() == [0] * LINE + [7] + [0] * (2 * LINE - 1)
    asked[LINE] = 8
    assert one(asked, answered, LINE, 7, 5, 3) == 8
    assert one(asked, answered, LINE, 7, 0, 3) == 8
    assert one(asked, answered, LINE, 8, 20, 3) == 8


@pytest.mark.parametrize("one", [all_answered, _all_answered])
def test_all_must_have_answered(one: object) -> None:
    answered = np.zeros(3 * LINE, np.int64)
    answered[0], answered[LINE] = 4, 4
    assert one(answered, 2, 4, 0)
    assert not one(answered, 3, 4, 10)
    answered[2 * LINE] = 4
    assert one(answered, 3, 4, 0)


def test_who_looks_lets_others_work_and_sees_what_they_write() -> None:
    asked, answered, seen = np.ones(LINE, np.int64), np.zeros(LINE, np.int64), []
    thread = Thread(target=lambda: seen.append(answer(asked, answered, 0, 1, LONG, 0)))
    thread.start()
    while answered[0] != 1:  # it has begun to look, and this thread has the interpreter's lock again
        time.sleep(0.001)
    asked[0] = 5
    thread.join(10.0)
    assert seen == [5]
