"""Where the store of evaluations is: a URL or a file as the operator says, else a file beside the published state."""

from dataclasses import dataclass
from pathlib import Path

from gateway.config.defaults import KEY_DIRECTORY
from gateway.settings import Settings
from monitor.evaluation.store import StoreError

FILE = "evaluations.sqlite"
SECRET = Path(KEY_DIRECTORY) / "evaluations" / "url"  # a URL with a password in it is better off in a file


@dataclass(frozen=True, slots=True, repr=False)
class StorePlace:
    said: str  # POINTSMAN_EVALUATIONS; empty: nothing
    secret: Path
    state_dir: Path | None

    def url(self) -> str:
        """For `Store.open`. Raises StoreError where there is no place."""
        if self.said:
            return self.said
        try:
            return self.secret.read_text("utf-8").strip()
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.secret} cannot be read: {type(error).__name__}") from None
        if self.state_dir is None:
            raise StoreError(f"it needs a place: set POINTSMAN_EVALUATIONS, or give the file {self.secret}")
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.state_dir} cannot be made: {error.strerror}") from None
        return str(self.state_dir / FILE)

    def used(self) -> bool:
        """Whether there may be something from before, which has to be let go in time."""
        beside = self.state_dir is not None and (self.state_dir / FILE).exists()
        return bool(self.said) or self.secret.exists() or beside


def place_of(settings: Settings) -> StorePlace:
    said = settings.evaluations
    return StorePlace("" if said is None else said.get_secret_value(), SECRET, settings.state_dir)
