"""How much probing may cost: a provider's budget for the day, spent evenly.

Two limits. The day's (UTC) sum never exceeds the budget by more than the probe that was under way. And routine probes
take from a purse that fills evenly, so that a day's budget is not gone by breakfast; a new process starts with a
twentieth of it, which also bounds what a process that restarts again and again can spend. Trials of a broken endpoint
are bound by the day alone.

Money is USD.
"""

from dataclasses import dataclass, replace

DAY_S = 86_400.0
PURSE_SHARE = 0.05  # of a day's budget: 72 minutes' worth, enough to probe a usual provider's models once at start


@dataclass(frozen=True, slots=True)
class Purse:
    """One provider's spending. `epoch_s` is Unix time throughout."""

    per_day_usd: float
    held_usd: float  # what routine probes may spend now
    filled_s: float
    day: int = 0  # UTC, counted from 1970
    spent_usd: float = 0.0  # on that day


def opened(per_day_usd: float, epoch_s: float) -> Purse:
    return Purse(per_day_usd, per_day_usd * PURSE_SHARE, epoch_s, int(epoch_s // DAY_S))


def filled(purse: Purse, epoch_s: float) -> Purse:
    """The purse as it is now."""
    day = int(epoch_s // DAY_S)
    earned_usd = purse.per_day_usd * max(0.0, epoch_s - purse.filled_s) / DAY_S
    return Purse(
        per_day_usd=purse.per_day_usd,
        held_usd=min(purse.held_usd + earned_usd, purse.per_day_usd * PURSE_SHARE),
        filled_s=max(epoch_s, purse.filled_s),
        day=day,
        spent_usd=purse.spent_usd if day == purse.day else 0.0,
    )


def affords_routine(purse: Purse, cost_usd: float) -> bool:
    """Whether a routine probe of this cost is within the purse (a full one pays for any) and the day."""
    return min(cost_usd, purse.per_day_usd * PURSE_SHARE) <= purse.held_usd and affords_trial(purse, cost_usd)


def affords_trial(purse: Purse, cost_usd: float) -> bool:
    """Whether a probe of this cost is within the day's budget."""
    return purse.spent_usd + cost_usd <= purse.per_day_usd


def charged(purse: Purse, cost_usd: float) -> Purse:
    """The purse after a probe; it may owe, where the provider took no notice of the cap on the answer."""
    return replace(purse, held_usd=purse.held_usd - cost_usd, spent_usd=purse.spent_usd + cost_usd)
