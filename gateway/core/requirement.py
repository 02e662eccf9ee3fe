"""What a label or a request demands of a provider about data. Halves of pairs carry it, so it is decoded, too."""

from msgspec import Struct


class Requirement(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Guarantees that a provider must give. `None`: nothing is asked in this respect.

    It travels with halves of pairs: a demand that a reader does not know must not be lost on the way.
    """

    trains_on_data: bool | None = None  # False: must not train
    retention_days: int | None = None  # at most
    regions: frozenset[str] | None = None  # the provider's must be a subset
    certifications: frozenset[str] | None = None  # the provider must have all of them

    @property
    def empty(self) -> bool:
        return self == NOTHING_REQUIRED


NOTHING_REQUIRED = Requirement()
