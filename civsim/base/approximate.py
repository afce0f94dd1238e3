"""Logarithm, cosine and exponential without branches: a loop over them runs in vector registers.

The C library's branch on every value, which no vector can. These are a few times faster and nearly as exact, but not
its equals in the last bits. Where a float32 is wanted that does not show: it is what the C library's result rounds to
wherever both ends of a margin around the near value round alike, and elsewhere, once in ten thousand times, the C
library is asked after all. So every result is the C library's, whatever the machine.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.kernels import inlined

LOG_ERROR = 2.0**-44
"""Largest relative error of :func:`near_log`."""

COSINE_ERROR = 2.0**-47
"""Largest error of :func:`near_cosine`."""

EXP_ERROR = 2.0**-44
"""Largest relative error of :func:`near_exp`."""

EXP_RANGE = 64.0
"""Largest size of what :func:`near_exp` takes."""

_ROOT_HALF = int(np.array([math.sqrt(0.5)]).view(np.int64)[0])
_MANTISSA = 52
_BIAS = 1023
_LN2 = math.log(2.0)
_PER_LN2 = 1.0 / _LN2
_TURN = 2.0 * math.pi
_HALF = 0.5
_QUARTER = 0.25


def _near_log(x):
    """Return log x of a float64 that is positive and not subnormal."""
    bits = np.float64(x).view(np.int64)
    power = (bits - _ROOT_HALF) >> _MANTISSA
    unit = np.int64(bits - (power << _MANTISSA)).view(np.float64)
    # log m = 2 artanh s with |s| < 0.172: eight terms of the series leave less than 2^-44 of it.
    s = (unit - 1.0) / (unit + 1.0)
    z = s * s
    square = z * z
    first = (1.0 + z * (1 / 3)) + square * (1 / 5 + z * (1 / 7))
    then = (1 / 9 + z * (1 / 11)) + square * (1 / 13 + z * (1 / 15))
    return power * _LN2 + 2.0 * s * (first + square * square * then)


near_log = inlined(_near_log)


def _near_cosine(turns):
    """Return cos 2πx of a number of turns x in [0, 1]."""
    # It is −sin 2π(¼ − |x − ½|), within a quarter turn of 0: what ten terms leave of its series is below 2^-51.
    angle = _TURN * (_QUARTER - abs(turns - _HALF))
    z = angle * angle
    series = 1 / 355687428096000 - z * (1 / 121645100408832000)
    series = 1 / 6227020800 - z * (1 / 1307674368000 - z * series)
    series = 1 / 362880 - z * (1 / 39916800 - z * series)
    series = 1 / 120 - z * (1 / 5040 - z * series)
    return angle * (z * (1 / 6 - z * series) - 1.0)


near_cosine = inlined(_near_cosine)


def _near_exp(x):
    """Return e^x of a float64 whose size is at most :data:`EXP_RANGE`."""
    power = np.floor(x * _PER_LN2 + _HALF)
    rest = x - power * _LN2
    # |rest| < 0.347: what thirteen terms leave of the series is below 2^-52.
    series = 1 / 39916800 + rest * (1 / 479001600)
    series = 1 / 362880 + rest * (1 / 3628800 + rest * series)
    series = 1 / 5040 + rest * (1 / 40320 + rest * series)
    series = 1 / 120 + rest * (1 / 720 + rest * series)
    series = 1.0 + rest * (1.0 + rest * (1 / 2 + rest * (1 / 6 + rest * (1 / 24 + rest * series))))
    return series * np.int64((np.int64(power) + _BIAS) << _MANTISSA).view(np.float64)


near_exp = inlined(_near_exp)
