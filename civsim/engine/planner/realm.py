"""The believed realm: one column a cell held, from which rollouts start."""

from __future__ import annotations

from civsim.base.constants import OrderKind, OrderStatus, Variable
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import (
    cell_output,
    defence_of,
    power_int,
    projected,
    sack_chance,
    win_chance,
)
from civsim.engine.knowledge.beliefs import believe, believed_ruggedness, source_cell
from civsim.engine.knowledge.land import known_rival, known_wall, known_works
from civsim.engine.knowledge.others import known_army, knows_army
from civsim.engine.knowledge.own import own_disruption, own_wall, own_work, own_works
from civsim.engine.planner.heuristic import wall_score, work_score
from civsim.engine.planner.ways import own_projection, rival_projection
from civsim.engine.siege import battles_a_turn, wall_in_battle
from civsim.engine.work import Base, Belief, Clock, Count, Fund, Realm, Site


def _believed_threat(state, cfg, work, b, i, c):
    """Return (attacks a turn, force of one) expected on own cell ``c``.

    With rivals attended only cells beside known rival land are exposed, to the strongest force seen there, projected
    from its capital where that was seen, else from as far as our own; otherwise every cell, to what was witnessed.
    """
    chance, force = work.scalars[Belief.ATTACK], work.scalars[Belief.FORCE]
    if chance <= 0.0 or not work.attended[Variable.RIVALS]:
        return chance, force
    exposed, strongest = False, 0.0
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[c, side]
        rival = known_rival(state, b, i, other) if other >= 0 else -1
        if rival < 0:
            continue
        exposed = True
        strongest = max(strongest, rival_force_at(state, cfg, work, b, i, rival, c))
    return (chance, strongest) if exposed else (0.0, 0.0)


def _rival_force_at(state, cfg, work, b, i, rival, c):
    """Return the force ``rival`` is believed to project to ``c``; the witnessed mean if its army was never seen."""
    if not knows_army(state, b, i, rival):
        return work.scalars[Belief.FORCE]
    return projected(known_army(state, b, i, rival), rival_projection(state, cfg, work, b, i, rival, c))


rival_force_at = kernel(_rival_force_at)


def _is_played(state, cfg, work, b, i, c):
    """Return 1 where attacks on cell ``c`` are played: the armies of all rivals known beside it were seen. Else 0."""
    if work.sizes[Base.ARMED] == 0:
        return 0.0
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[c, side]
        rival = known_rival(state, b, i, other) if other >= 0 else -1
        if rival >= 0 and not knows_army(state, b, i, rival):
            return 0.0
    return 1.0


is_played = kernel(_is_played)
believed_threat = kernel(_believed_threat)


def _steady_output(realm, k):
    """Return the output of column ``k`` a turn, but for what a volatile site swings."""
    return cell_output(realm[Realm.FERTILITY, k], realm[Realm.WORKS, k], realm[Realm.ORE_OUTPUT, k])


steady_output = kernel(_steady_output)


def _score_wall(cfg, realm, counts, k):
    """Work out what a wall on column ``k`` would score: one raised this turn scores 0."""
    realm[Realm.WALL_SCORE, k] = 0.0
    if not counts[Count.RAISED, k]:
        realm[Realm.WALL_SCORE, k] = wall_score(steady_output(realm, k), realm[Realm.WALL, k], cfg.wall_rate)


score_wall = inlined(_score_wall)


def _count_output(realm, counts, k):
    """Work out what column ``k`` gives a turn, and what of it a volatile site swings."""
    realm[Realm.OUT, k] = 0.0
    realm[Realm.SWING_OUT, k] = 0.0
    if counts[Count.IDLE, k] == 0:
        realm[Realm.OUT, k] = realm[Realm.KEEP, k] * steady_output(realm, k)
        realm[Realm.SWING_OUT, k] = realm[Realm.KEEP, k] * realm[Realm.SWING, k] * (1.0 + realm[Realm.WORKS, k])


count_output = inlined(_count_output)


def _refresh(cfg, realm, counts, k):
    """Work out what column ``k`` gives, and what a work or a wall on it would score."""
    score_wall(cfg, realm, counts, k)
    realm[Realm.WORK_SCORE, k] = 0.0
    if counts[Count.LEFT, k] == 0:
        fertile = realm[Realm.FERTILITY, k] + realm[Realm.SWING, k]
        realm[Realm.WORK_SCORE, k] = work_score(fertile, cfg.work_growth, realm[Realm.WORKS, k])
    count_output(realm, counts, k)


refresh = inlined(_refresh)


def _kept_of(cfg, realm, k, defence):
    """Return the share of output of column ``k`` that raids leave behind a ``defence``."""
    if realm[Realm.RAIDED, k] <= 0.0:
        return 1.0
    return power_int(1.0 - realm[Realm.RAIDED, k] * sack_chance(cfg, defence), cfg.raid_turns)


kept_of = inlined(_kept_of)


def _outlook(cfg, realm, k, army, wall):
    """Return (chance to hold it a turn, share of output that raids leave) of column ``k`` under an army and a wall.

    A raid sacks unless its exponential strength is at most the defence: P(strength > d) = e^(−d / mean).
    """
    force = projected(army, realm[Realm.PROJECTION, k])
    defence = defence_of(force, wall, realm[Realm.RUGGEDNESS, k])
    exposure, hold = realm[Realm.EXPOSURE, k], 1.0
    if exposure > 0.0:
        threat, met = realm[Realm.THREAT, k], defence
        if cfg.siege > 0.0:
            exposure = battles_a_turn(cfg, exposure, wall, threat)
            met = defence_of(force, wall_in_battle(cfg, wall), realm[Realm.RUGGEDNESS, k])
        hold = max(1.0 - exposure * win_chance(threat, met, cfg.decisiveness), 0.0)
    return hold, kept_of(cfg, realm, k, defence)


outlook = inlined(_outlook)


def _share_left(cfg, realm, k, army, wall):
    """Return the share of output of column ``k`` that raids leave, as :func:`outlook` does."""
    return kept_of(
        cfg, realm, k, defence_of(projected(army, realm[Realm.PROJECTION, k]), wall, realm[Realm.RUGGEDNESS, k])
    )


share_left = kernel(_share_left)


def _set_outlook(cfg, realm, k, army):
    """Set HOLD and KEEP of column ``k`` under an army, see :func:`outlook`; attacks that are played count there."""
    realm[Realm.HOLD, k], realm[Realm.KEEP, k] = outlook(cfg, realm, k, army, realm[Realm.WALL, k])
    if realm[Realm.PLAYED, k] > 0.0:
        realm[Realm.HOLD, k] = 1.0


set_outlook = inlined(_set_outlook)


def _watch(cfg, realm, counts, k, army):
    """Set HOLD and KEEP of column ``k`` under an army (see :func:`outlook`), and what it gives so; scores stand.

    A column that nothing threatens is as :func:`guard` has left it, and so is one where attacks are played.
    """
    if realm[Realm.RAIDED, k] <= 0.0 and (realm[Realm.EXPOSURE, k] <= 0.0 or realm[Realm.PLAYED, k] > 0.0):
        return
    set_outlook(cfg, realm, k, army)
    count_output(realm, counts, k)


watch = inlined(_watch)


def _guard(cfg, realm, counts, k, army):
    """Set HOLD and KEEP of column ``k`` under an army (see :func:`outlook`), and all that follows from the column."""
    set_outlook(cfg, realm, k, army)
    refresh(cfg, realm, counts, k)


guard = inlined(_guard)


def _survey(state, cfg, work, b, i, c):
    """Work out what cell ``c`` would be as a column of the realm, unless that is done since the base was built."""
    if work.surveyed[c] == work.clock[Clock.SURVEY]:
        return
    work.surveyed[c] = work.clock[Clock.SURVEY]
    believe(state, cfg, work, b, i, c)
    site, source = work.survey[c], source_cell(cfg, work.scalars, c)
    site[Site.WORKS], site[Site.WALL] = known_works(state, b, i, source), known_wall(state, b, i, source)
    site[Site.PROJECTION] = own_projection(state, cfg, work, b, i, c)
    site[Site.RUGGEDNESS] = believed_ruggedness(state, cfg, work, b, i, c)
    site[Site.EXPOSURE], site[Site.THREAT] = believed_threat(state, cfg, work, b, i, c)
    site[Site.PLAYED] = is_played(state, cfg, work, b, i, c)


survey = kernel(_survey)


def _forget_survey(work):
    """Say that a base realm is built anew: what cells would be as columns, and what was copied, stands no more."""
    work.clock[Clock.SURVEY] += 1
    work.sizes[Base.COPIED] = 0


forget_survey = kernel(_forget_survey)


def _add_column(state, cfg, work, b, i, realm, counts, k, c):
    """Fill column ``k`` with cell ``c`` as believed, newly held, nothing under way; :func:`guard` does the rest."""
    survey(state, cfg, work, b, i, c)
    site = work.survey[c]
    realm[Realm.FERTILITY, k] = work.fertility[c]
    realm[Realm.ORE_OUTPUT, k] = work.ore_output[c]
    realm[Realm.SWING, k] = work.swing[c]
    realm[Realm.PROJECTION, k] = site[Site.PROJECTION]
    realm[Realm.RUGGEDNESS, k] = site[Site.RUGGEDNESS]
    realm[Realm.EXPOSURE, k] = site[Site.EXPOSURE]
    realm[Realm.THREAT, k] = site[Site.THREAT]
    realm[Realm.PLAYED, k] = site[Site.PLAYED]
    realm[Realm.STAY, k] = 1.0
    realm[Realm.WORKS, k] = site[Site.WORKS]
    realm[Realm.WALL, k] = site[Site.WALL]
    realm[Realm.GAIN, k] = 0.0
    realm[Realm.RAIDED, k] = work.scalars[Belief.RAID]
    counts[Count.CELL, k] = c
    counts[Count.IDLE, k] = 0
    counts[Count.LEFT, k] = 0
    counts[Count.RAISED, k] = 0


add_column = inlined(_add_column)


def _set_timer(counts, timers, n, k):
    """Put column ``k`` on the ``n`` timers unless it is there; return how many there are.

    Call it before IDLE or LEFT of the column is raised.
    """
    if counts[Count.IDLE, k] > 0 or counts[Count.LEFT, k] > 0:
        return n
    timers[n] = k
    return n + 1


set_timer = inlined(_set_timer)


def _guard_base(cfg, work, k):
    """Work out what base column ``k`` gives and scores under the army as it is."""
    guard(cfg, work.base, work.base_counts, k, work.funds[Fund.ARMY])


guard_base = kernel(_guard_base)


def _base_column(state, cfg, work, b, i, k, c):
    """Fill base column ``k`` with own cell ``c`` as it is, and with what is under way on it."""
    base, counts, sizes = work.base, work.base_counts, work.sizes
    add_column(state, cfg, work, b, i, base, counts, k, c)
    base[Realm.WORKS, k], base[Realm.WALL, k] = own_works(state, b, i, c), own_wall(state, b, i, c)
    idle = own_disruption(state, b, i, c)
    left, kind = own_work(state, b, i, c)
    if left > 0:
        base[Realm.GAIN, k] = cfg.work_gain[kind]
    if left > 0 or idle > 0:
        sizes[Base.TIMERS] = set_timer(counts, work.base_timer, sizes[Base.TIMERS], k)
    counts[Count.IDLE, k], counts[Count.LEFT, k] = idle, left


base_column = kernel(_base_column)


def _build_base(state, orders, cfg, work, b, i, region):
    """Fill the base realm from the cells of ``region``; what follows from it waits for :func:`guard_base`."""
    work.sizes[Base.TIMERS] = 0
    forget_survey(work)
    for k in range(region.shape[0]):
        base_column(state, cfg, work, b, i, k, region[k])
    for slot in range(orders.kind.shape[2]):
        if orders.kind[b, i, slot] == OrderKind.WALL and orders.status[b, i, slot] == OrderStatus.DONE:
            k = column_of(work, orders.cell[b, i, slot])
            if k >= 0:
                work.base_counts[Count.RAISED, k] = 1


def _column_of(work, cell):
    """Return the base column of a cell, or -1 where it is not of the region."""
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.CELL, k] == cell:
            return k
    return -1


column_of = kernel(_column_of)
build_base = kernel(_build_base)


def _send_party(work, lag, cell):
    """Move ``cell`` from the frontier to the parties under way."""
    sizes = work.sizes
    for k in range(sizes[Base.FRONT]):
        if work.front[k] == cell:
            sizes[Base.FRONT] -= 1
            work.front[k] = work.front[sizes[Base.FRONT]]
            break
    work.pending_cell[sizes[Base.PENDING]] = cell
    work.pending_due[sizes[Base.PENDING]] = lag
    sizes[Base.PENDING] += 1
    sizes[Base.SEARCHED] = 0


send_party = kernel(_send_party)


def _update_base(state, cfg, work, b, i, kind, cell):
    """Bring the base realm up to date after an order that moved no border: a claim paid, a work or wall begun."""
    if kind == OrderKind.CLAIM:
        send_party(work, cfg.claim_lag, cell)
        return
    k = column_of(work, cell)
    if k < 0:
        return
    base, counts, sizes = work.base, work.base_counts, work.sizes
    if kind == OrderKind.WORK:
        sizes[Base.TIMERS] = set_timer(counts, work.base_timer, sizes[Base.TIMERS], k)
        counts[Count.LEFT, k], menu = own_work(state, b, i, cell)
        base[Realm.GAIN, k] = cfg.work_gain[menu]
        refresh(cfg, base, counts, k)
    elif kind == OrderKind.WALL:
        base[Realm.WALL, k] = own_wall(state, b, i, cell)
        counts[Count.RAISED, k] = 1
        guard_base(cfg, work, k)


update_base = kernel(_update_base)
