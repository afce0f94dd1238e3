"""The k-th smallest of a row of numbers: what sorting would say, for less, and in a tenth of the code to compile."""

from __future__ import annotations

from civsim.base.kernels import kernel


def _select(values, n, k):
    """Return the k-th smallest (from 0) of ``values[:n]``, reordering it (Hoare's quickselect).

    ``values`` is a 1-D array of numbers, none of them nan; 0 <= k < n.
    """
    lo, hi = 0, n - 1
    while lo < hi:
        pivot = values[(lo + hi) // 2]
        i, j = lo, hi
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            hi = j
        elif k >= i:
            lo = i
        else:
            break
    return values[k]


select = kernel(_select)
