"""K6: the centre against provinces, in a reduced world of its own, with the bridge to reports that grow stale.

Two decisions a₁, a₂ are to follow two states θ₁, θ₂, independent, of mean 0 (known to all) and variance σ², and each
other: L = Σ (aᵢ − θᵢ)² + δ (a₁ − a₂)². After Alonso, Dessein and Matouschek (*American Economic Review* 98(1), 2008),
reduced: there divisions also talk to each other and bend what they say; here nobody talks but in reports to the centre,
whose reliability ρ is given.

*Provinces.* Each knows its own state exactly and of the other's only its law. One that minds the whole of L takes
aᵢ = (θᵢ + δ E[aⱼ]) / (1 + δ), and as E[aⱼ] = 0, aᵢ = θᵢ / (1 + δ), under any law of the states. The loss is
2σ² (δ² + δ) / (1 + δ)² = 2σ² δ / (1 + δ): the known answer. It holds as well where a province minds (aᵢ − θᵢ)² and all
of δ (a₁ − a₂)². It does not where it minds half of δ (a₁ − a₂)², so that what the two mind adds up to L: the rule is
then θᵢ / (1 + δ/2), and the loss larger by 2σ² δ² / ((1 + δ)(2 + δ)²). The paper has both: a division loses
(aᵢ − θᵢ)² + ½ δ (a₁ − a₂)² (its δ is half of ours) and weighs its own loss with a *bias* w from ½ to 1 and the other's
with 1 − w. That is to mind the part q = 1 / (2w) of δ (a₁ − a₂)²: the rule is θᵢ / (1 + qδ) and the loss
2σ² δ (1 + q²δ) / (1 + qδ)². The known answer is that of bias ½; another bias is judged by its own form.

*The centre.* What a report makes it expect, mᵢ = E[θᵢ | report], has variance ρσ², and the two reports err
independently. The centre minimises E[L | m₁, m₂]: a₁ + a₂ = m₁ + m₂ and a₁ − a₂ = (m₁ − m₂) / (1 + 2δ). It loses what
no report explains, 2σ² (1 − ρ), and what coordination leaves, E[(m₁ − m₂)²] δ / (1 + 2δ): together
2σ² [(1 − ρ) + ρδ / (1 + 2δ)]. That is less than the provinces lose iff ρ > (1 + 2δ) / (1 + δ)²; with a bias, iff
ρ > (1 + 2δ)(1 + (2q − 1)δ) / ((1 + δ)(1 + qδ)²).

What is compared with these forms uses none of them. Provinces answer each other until nothing changes, state by state,
and the centre solves for the least of a quadratic that is known by its values.

*The bridge to the game.* A site flips with probability p a turn: what is expected of the next turn is λ = 1 − 2p times
what is, its persistence, and of n turns on λ^n times. So its state now and n turns ago have the correlation λ^n, and a
report n turns old explains λ^(2n) of the variance: ρ = λ^(2n). Where both sides decide on the next turn's state, a
province's sight explains λ² of it, the centre's λ^(2n + 2); the provinces lose 2σ² [(1 − λ²) + λ²δ / (1 + δ)], and the
centre wins iff the ratio of the two, λ^(2n) again, is above the same boundary. The reliability is compared with a chain
drawn here and with the volatile sites of the game, as K5 plays them.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field

from civsim.analysis.statistics.resample import student_estimate
from civsim.base.scenario import Frozen, Probability
from civsim.validation.case import FAMILY, How, KnownAnswer, Row, Seed, close, exact, frequency, mean, several, words
from civsim.validation.k5_sight import Stale, Volatilities, correct

F64 = NDArray[np.float64]

POINTS = 5
"""Points that stand for a normal law: Gauss and Hermite's, exact for polynomials up to degree 2 · POINTS − 1."""

SETTLED = 1e-12
"""Standard deviations by which the last round of answers may change a decision."""

MOST_ROUNDS = 2_000
"""Rounds of answers; a round leaves (δ / (1 + δ))² of what is amiss at most, so that at δ = 16 about 240 are needed."""

FINE = 1e-9
"""What rounding, rounds of answers and bisection may be off by; their own limits are a hundred times as strict."""

BISECTED = 1e-12
"""Reliability within which bisection finds a crossing."""

TRIED = 100
"""Reliabilities, evenly spread, at each of which the side that wins is compared with the boundary."""

TEAM = 0.5
"""The bias of provinces that mind both losses alike."""

FULL_DRAWS, FULL_WORLDS = 200_000, 1_000
Weights = Annotated[
    tuple[Annotated[float, Field(ge=0.01, le=16.0)], ...], BeforeValidator(several), Field(min_length=1, max_length=64)
]
Shares = Annotated[tuple[Probability, ...], BeforeValidator(several), Field(min_length=1, max_length=64)]
Biases = Annotated[
    tuple[Annotated[float, Field(ge=TEAM, le=1.0)], ...], BeforeValidator(several), Field(min_length=1, max_length=16)
]


class Settings(Frozen):
    """Parameters of K6."""

    delta: Weights = Field((0.25, 1.0, 4.0), description="δ: what a difference between the two decisions costs")
    rho: Shares = Field((0.0, 0.3, 0.6, 1.0), description="ρ: part of a state's variance that a report explains")
    bias: Biases = Field((0.5, 1.0), description="weight of a province on its own loss; 0.5 is the known answer")
    sigma: float = Field(1.0, ge=1e-3, le=1e3, description="σ: s.d. of a state")
    p: Volatilities = Field((0.05, 0.2), description="volatility: chance that a site flips in a turn")
    n: Stale = Field((1, 2, 4), description="turns that a report is old")
    draws: int = Field(20_000, ge=1_000, le=1_000_000, description="pairs of states; 200,000 at least with --full")
    worlds: int = Field(150, ge=10, le=20_000, description="worlds of 63 sites each; 1,000 at least with --full")
    seed: Seed = Field(0, description="seed of states, reports and worlds")


def local_loss(delta: float, sigma: float, bias: float = TEAM) -> float:
    """Return the provinces' expected loss, 2σ² δ (1 + q²δ) / (1 + qδ)²: 2σ² δ / (1 + δ) at bias ½."""
    part = 0.5 / bias
    return 2.0 * sigma**2 * delta * (1.0 + part**2 * delta) / (1.0 + part * delta) ** 2


def central_loss(delta: float, rho: float, sigma: float) -> float:
    """Return the expected loss of a centre with reports of reliability ρ, 2σ² [(1 − ρ) + ρδ / (1 + 2δ)]."""
    return 2.0 * sigma**2 * ((1.0 - rho) + rho * delta / (1.0 + 2.0 * delta))


def boundary(delta: float, bias: float = TEAM) -> float:
    """Return the reliability, in (0, 1), above which the centre wins: (1 + 2δ) / (1 + δ)² at bias ½; see the module."""
    part = 0.5 / bias
    kept = (1.0 + (2.0 * part - 1.0) * delta) / (1.0 + part * delta) ** 2
    return kept * (1.0 + 2.0 * delta) / (1.0 + delta)


def reliability(volatility: float, age: int) -> float:
    """Return what a report ``age`` turns old explains of the state of a site, λ^(2n), λ = 1 − 2p, in [0, 1]."""
    return (1.0 - 2.0 * volatility) ** (2 * age)


def minded(a: F64, b: F64, own: F64, other: F64, delta: float, bias: float = TEAM) -> F64:
    """Return what the first province minds, which decides ``a`` where the second decides ``b``; shapes broadcast.

    A province's own loss is (a − θ)² + ½ δ (a − b)²; it is weighed with 2w, the other's with 2 (1 − w), where w is the
    bias. At bias ½ that is the whole loss L, whoever decides.
    """
    apart = 0.5 * delta * (a - b) ** 2
    return 2.0 * (bias * ((a - own) ** 2 + apart) + (1.0 - bias) * ((b - other) ** 2 + apart))


class Belief(NamedTuple):
    """A law of a state, as points and their chances: K of them, along the last axis."""

    points: F64  # [..., K] in the units of σ
    chances: F64  # [K] or [..., K], sum to 1


def normal(expected: ArrayLike, spread: float) -> Belief:
    """Return the normal law about each of ``expected``, float [...], with s.d. ``spread`` ≥ 0."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    return Belief(np.asarray(expected, np.float64)[..., None] + spread * nodes, weights / weights.sum())


def answer(own: F64, rule: F64, other: Belief, delta: float, bias: float, sigma: float) -> F64:
    """Return the best decision, float [...], of a province that is in the state ``own``, float [...].

    ``rule``, float [K], is what the other decides at each point of ``other``. What is minded is a parabola in the
    decision: its vertex follows from its value at three decisions, ``sigma`` apart.
    """
    state = np.asarray(own, np.float64)[..., None]
    low, here, high = (
        minded(state + step, rule, state, other.points, delta, bias) @ other.chances for step in (-sigma, 0.0, sigma)
    )
    return np.asarray(state[..., 0] + 0.5 * sigma * (low - high) / (low - 2.0 * here + high))


def rules(law: Belief, delta: float, bias: float, sigma: float) -> tuple[F64, F64]:
    """Return what each province decides at each point of ``law``, float [K] each: best answers to each other.

    No form of the rule is assumed. They start far from it, a standard deviation above and two below their states.

    Raises:
        RuntimeError: :data:`MOST_ROUNDS` rounds of answers do not settle.
    """
    first, second = law.points + sigma, law.points - 2.0 * sigma
    for _ in range(MOST_ROUNDS):
        before = first, second
        first = answer(law.points, second, law, delta, bias, sigma)
        second = answer(law.points, first, law, delta, bias, sigma)
        if max(np.abs(first - before[0]).max(), np.abs(second - before[1]).max()) <= SETTLED * sigma:
            return first, second
    raise RuntimeError(f"provinces do not settle in {MOST_ROUNDS} rounds at delta={delta:g}; raise MOST_ROUNDS")


def expected_loss(a: F64, b: F64, first: Belief, second: Belief, delta: float) -> F64:
    """Return the expected loss, float [...], of decisions ``a`` and ``b``, float [...], over two independent states."""
    total = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    for i in range(first.points.shape[-1]):
        for j in range(second.points.shape[-1]):
            chance = first.chances[..., i] * second.chances[..., j]
            total += chance * minded(a, b, first.points[..., i], second.points[..., j], delta)
    return total


def command(first: Belief, second: Belief, delta: float, sigma: float) -> tuple[F64, F64]:
    """Return the two decisions, float [...], of a centre that believes this of the two states, [..., K] each.

    The expected loss is a quadratic: its slopes and curvatures follow from six values, and the two decisions from them.
    """
    zero = np.zeros(np.broadcast_shapes(first.points.shape[:-1], second.points.shape[:-1]))

    def at(a: float, b: float) -> F64:
        return expected_loss(zero + sigma * a, zero + sigma * b, first, second, delta)

    here, right, left, up, down = at(0, 0), at(1, 0), at(-1, 0), at(0, 1), at(0, -1)
    slopes = 0.5 * (right - left), 0.5 * (up - down)
    bends = right + left - 2.0 * here, up + down - 2.0 * here
    mixed = at(1, 1) - right - up + here
    whole = bends[0] * bends[1] - mixed**2
    a = (mixed * slopes[1] - bends[1] * slopes[0]) / whole
    b = (mixed * slopes[0] - bends[0] * slopes[1]) / whole
    return sigma * a, sigma * b


def apart(delta: float, bias: float, sigma: float) -> float:
    """Return the provinces' expected loss over normal states, by best answers and without draws."""
    law = normal(0.0, sigma)
    first, second = rules(law, delta, bias, sigma)
    losses = minded(first[:, None], second, law.points[:, None], law.points, delta)
    return float(law.chances @ losses @ law.chances)


def together(delta: float, rho: float, sigma: float) -> float:
    """Return the centre's expected loss over normal states and reports, by its least expected loss, without draws."""
    told, left = normal(0.0, np.sqrt(rho) * sigma), np.sqrt(1.0 - rho) * sigma
    grid = np.meshgrid(told.points, told.points, indexing="ij")
    first, second = normal(grid[0], left), normal(grid[1], left)
    losses = expected_loss(*command(first, second, delta, sigma), first, second, delta)
    return float(told.chances @ losses @ told.chances)


def crossing(delta: float, bias: float, sigma: float) -> float:
    """Return the reliability at which the two sides' computed losses are the same, by bisection over [0, 1]."""
    from scipy.optimize import bisect

    provinces = apart(delta, bias, sigma)
    return float(bisect(lambda rho: (together(delta, rho, sigma) - provinces) / sigma**2, 0.0, 1.0, xtol=BISECTED))


class Drawn(NamedTuple):
    """Normal states, and the noise of their reports."""

    states: F64  # [2, draws]
    noise: F64  # [2, draws] standard normal
    sigma: float

    def local(self, delta: float, bias: float) -> F64:
        """Return the loss of provinces in each draw, float [draws]."""
        law = normal(0.0, self.sigma)
        first, second = rules(law, delta, bias, self.sigma)
        a = answer(self.states[0], second, law, delta, bias, self.sigma)
        b = answer(self.states[1], first, law, delta, bias, self.sigma)
        return minded(a, b, self.states[0], self.states[1], delta)

    def central(self, delta: float, rho: float) -> F64:
        """Return the loss of a centre in each draw, float [draws].

        A report is the state and noise of variance σ² (1 − ρ) / ρ, told as what it makes the centre expect, ρ times as
        much: so it can be told at ρ = 0 too.
        """
        told = rho * self.states + np.sqrt(rho * (1.0 - rho)) * self.sigma * self.noise
        left = np.sqrt(1.0 - rho) * self.sigma
        a, b = command(normal(told[0], left), normal(told[1], left), delta, self.sigma)
        return minded(a, b, self.states[0], self.states[1], delta)


def drawn(settings: Settings, draws: int) -> Drawn:
    """Return the states and noise that every row of a run shares."""
    rng = np.random.default_rng([settings.seed, 6])
    states, noise = rng.standard_normal((2, 2, draws))
    return Drawn(settings.sigma * states, noise, settings.sigma)


class Sites(NamedTuple):
    """Pairs of sites as they were when they were reported, and as they are now: −1 or 1, float [2, draws] each."""

    then: F64
    now: F64
    volatility: float
    age: int

    def central(self, delta: float, sigma: float) -> F64:
        """Return the loss, float [draws], of a centre that knows how sites were; a state is ``sigma`` times −1 or 1."""
        flip = self.volatility
        chain = np.linalg.matrix_power(np.array([[1.0 - flip, flip], [flip, 1.0 - flip]]), self.age)
        seen = (self.then > 0.0).astype(int)
        points = np.broadcast_to(sigma * np.array([-1.0, 1.0]), (self.then.shape[1], 2))
        a, b = command(Belief(points, chain[seen[0]]), Belief(points, chain[seen[1]]), delta, sigma)
        return minded(a, b, sigma * self.now[0], sigma * self.now[1], delta)


def flipped(volatility: float, age: int, draws: int, seed: int) -> Sites:
    """Return pairs of sites, high or low at even odds, and what they are after ``age`` turns drawn one by one."""
    rng = np.random.default_rng([seed, 66, age])
    then = rng.choice([-1.0, 1.0], (2, draws))
    now = then.copy()
    for _ in range(age):
        now *= np.where(rng.random((2, draws)) < volatility, -1.0, 1.0)
    return Sites(then, now, volatility, age)


def explained(label: str, parameters: str, theory: float, right: tuple[float, float, float], note: str) -> Row:
    """Return the row of the variance that stale reports explain, from how often a site is as it was: low, found, high.

    High and low are as likely, so the correlation is 2 · right − 1 and what is explained its square. An interval that
    reaches below none at all is squared from none on.
    """
    low, found, high = (2.0 * share - 1.0 for share in right)
    ends = 0.0 if low < 0.0 < high else min(low**2, high**2), max(low**2, high**2)
    slack = 1e-12
    return Row(label, parameters, theory, found**2, *ends, ends[0] - slack <= theory <= ends[1] + slack, note)


def site_rows(settings: Settings, sites: Sites, worlds: int, rows: int) -> list[Row]:
    """The rows of sites of one volatility whose reports are of one age."""
    place = words(p=sites.volatility, n=sites.age)
    rho, label = reliability(sites.volatility, sites.age), "variance of a site that a stale report explains"
    asis = sites.then == sites.now
    own = frequency("", "", 0.5, int(asis.sum()), asis.size, rows)
    looks = student_estimate(correct(sites.volatility, sites.age - 1, worlds, settings.seed), 1.0 - FAMILY / rows)
    game = (float(looks.low), float(looks.value), float(looks.high))
    made = [
        explained(f"{label}, drawn chain", place, rho, (own.low, own.simulated, own.high), own.note),
        explained(f"{label}, the game's sites", place, rho, game, own.note),
    ]
    for delta in dict.fromkeys(settings.delta):
        theory = central_loss(delta, rho, settings.sigma)
        losses = sites.central(delta, settings.sigma)
        made.append(mean("loss of a centre, stale reports", f"{words(delta=delta)}, {place}", theory, losses, rows))
    return made


def province_rows(settings: Settings, draws: Drawn, delta: float, bias: float, rows: int) -> list[Row]:
    """The rows of provinces of one bias: their rule, their loss, and when the centre does better."""
    sigma, place = settings.sigma, words(delta=delta, bias=bias)
    law = normal(0.0, sigma)
    followed = answer(np.array([sigma]), rules(law, delta, bias, sigma)[1], law, delta, bias, sigma)[0] / sigma
    weight = 1.0 / (1.0 + 0.5 * delta / bias)
    local, met = draws.local(delta, bias), crossing(delta, bias, sigma)
    edge, provinces = boundary(delta, bias), apart(delta, bias, sigma)
    tried = (np.arange(TRIED) + 0.5) / TRIED
    # At the boundary itself rounding decides.
    wrong = [
        rho for rho in tried if abs(rho - edge) > FINE and (together(delta, rho, sigma) < provinces) != (rho > edge)
    ]
    none = "a count; those within 1e-9 of the boundary are left out"
    note = "within 1e-9: rounding, and where rounds of answers and bisection stop"
    return [
        close("part of its state that a province follows", place, weight, followed, FINE, note),
        mean("loss of provinces", place, local_loss(delta, sigma, bias), local, rows),
        close("reliability from which on the centre wins", place, edge, met, FINE, note),
        exact(f"of {TRIED} reliabilities, those at which the other side wins", place, 0.0, float(len(wrong)), none),
        mean("loss of a centre less the provinces', at that one", place, 0.0, draws.central(delta, met) - local, rows),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Let both sides decide; see the module."""
    draws = max(settings.draws, FULL_DRAWS) if how.full else settings.draws
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    deltas, biases, rhos = (list(dict.fromkeys(v)) for v in (settings.delta, settings.bias, settings.rho))
    aged = [(p, n) for p in dict.fromkeys(settings.p) for n in dict.fromkeys(settings.n)]
    rows = len(deltas) * (2 * len(biases) + len(rhos) + len(aged)) + 2 * len(aged)
    shared = drawn(settings, draws)
    made: list[Row] = []
    for index, delta in enumerate(deltas):
        how.report(index, len(deltas) + len(aged))
        for bias in biases:
            made += province_rows(settings, shared, delta, bias, rows)
        for rho in rhos:
            theory, losses = central_loss(delta, rho, settings.sigma), shared.central(delta, rho)
            made.append(mean("loss of a centre", words(delta=delta, rho=rho), theory, losses, rows))
    for index, (p, n) in enumerate(aged):
        how.report(len(deltas) + index, len(deltas) + len(aged))
        made += site_rows(settings, flipped(p, n, draws, settings.seed), worlds, rows)
    return made


CASE = KnownAnswer(
    "K6",
    "centre against provinces",
    "two decisions, loss Σ(aᵢ − θᵢ)² + δ(a₁ − a₂)²: provinces that mind all of it lose 2σ²δ/(1+δ), a centre with "
    "reports of reliability ρ 2σ²[(1−ρ) + ρδ/(1+2δ)]; it wins iff ρ > (1+2δ)/(1+δ)² (after Alonso, Dessein "
    "and Matouschek 2008); a report n turns old of a site of persistence λ = 1 − 2p has ρ = λ^(2n)",
    "two decisions and two states, drawn by themselves; the game's part in it is the sites of K5 alone",
    Settings,
    run,
)
