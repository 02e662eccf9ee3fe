"""An interval of a share that was counted."""

import math

Z_95 = 1.959963984540054  # standard normal, two-sided 95 %


def wilson(good: float, of: float, z: float = Z_95) -> tuple[float, float]:
    """The interval in which the share behind `good` of `of` lies, with 95 % confidence unless `z` says otherwise.

    Wilson (J. Am. Stat. Assoc. 22, 1927): unlike the usual one it is right for small numbers, and never leaves [0, 1].
    """
    if of <= 0:
        return 0.0, 1.0
    share, square = good / of, z * z / of
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)
