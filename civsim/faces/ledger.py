"""The bookkeeping of learners' rows, one turn at a time: one kernel, since it is many small sums."""

from __future__ import annotations

from civsim.base.kernels import kernel


def _count_turn(rows, turn, ledger, out):
    """Take one turn down in the rows' bookkeeping.

    Args:
        rows: of each row, its world and seat, int64 [n], and whether it was live, bool [n].
        turn: what the engine recorded: reward float64 [B, N], alive uint8 [B, N], terminated bool [B].
        ledger: of each row, the sum of its rewards, float64 [n], and the turns in which it was live, int64 [n].
        out: of each row, its reward, float64 [n], whether its episode ended now, and whether it is live now, bool [n].
    """
    worlds, seats, before = rows
    reward, alive, terminated = turn
    returns, lengths = ledger
    rewards, ended, live = out
    for row in range(worlds.shape[0]):
        b, i = worlds[row], seats[row]
        live[row] = before[row] and alive[b, i] != 0 and not terminated[b]
        ended[row] = before[row] and not live[row]
        rewards[row] = reward[b, i] if before[row] else 0.0
        returns[row] += rewards[row]
        lengths[row] += before[row]


count_turn = kernel(_count_turn)
