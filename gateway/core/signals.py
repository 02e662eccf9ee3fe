"""What became of an answer, as far as anybody said or it can be seen: one score for each, from -1 to 1.

Owns the weights. Whoever judges an answer by `/v1/feedback` is believed before anything that was only seen. What was
seen, the worst of it counts:

    the answer broke off after its first content      -1      useless to most
    JSON was asked for, and it is none                 -1      useless to a program
    the same was asked again, soon after               -0.5    a person was not content, or only curious
    JSON was asked for, and it is                      +0.25   right in form, and nothing more is known

Silence is no approval: an answer of which nothing is known has no score. Feedback and form can speak for an answer or
against it, so a share of good ones is counted among those alone; the other two only ever speak against it.
"""

from dataclasses import dataclass

import numpy as np

from gateway.core.replay_cost import Bools, Floats

BROKEN_OFF = -1.0
MALFORMED = -1.0
ASKED_AGAIN = -0.5
WELL_FORMED = 0.25

AGAIN_WITHIN_S = 300.0  # from the end of the answer to the same request of the same session
AGAIN_AT_MOST = 3  # who asks the same oftener within that time is a program


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of answers, one element each."""

    feedback: Floats  # its mean, -1 to 1; NaN: none
    form: Floats  # 1: JSON, as asked; 0: asked, and it is none; NaN: not asked, or unknown
    asked_again: Bools
    broken_off: Bools

    def scores(self) -> Floats:
        """-1 to 1; NaN: nothing is known."""
        seen = np.full(len(self.feedback), np.nan)
        seen[self.form == 1] = WELL_FORMED
        seen[self.asked_again] = ASKED_AGAIN
        seen[self.form == 0] = MALFORMED
        seen[self.broken_off] = BROKEN_OFF
        said = np.clip(self.feedback, -1.0, 1.0)
        return np.where(np.isnan(said), seen, said)

    def two_sided(self) -> Bools:
        """Whose score could have been good as well as bad."""
        known: Bools = ~np.isnan(self.feedback) | ~np.isnan(self.form)
        return known

    def useless(self) -> Bools:
        """The worst there is. Being asked again is none of it: two users may have begun with the same words."""
        found: Bools = self.scores() <= MALFORMED
        return found

    def counts(self) -> dict[str, int]:
        """How many there are of each, for people."""
        return {
            "feedback": int((~np.isnan(self.feedback)).sum()),
            "malformed": int((self.form == 0).sum()),
            "well_formed": int((self.form == 1).sum()),
            "asked_again": int(self.asked_again.sum()),
            "broken_off": int(self.broken_off.sum()),
        }
