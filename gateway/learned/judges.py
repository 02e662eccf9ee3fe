"""The models of all steps together, as the gateway asks them; and as they are packed into one file."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from gateway.core.classify import Opinion
from gateway.core.opinion import TaskOpinion
from gateway.learned.features import Floats, Seen, see
from gateway.learned.model import Model, pack, unpack
from gateway.learned.tasks import TaskModel, pack_tasks, unpack_tasks
from gateway.learned.words import WordTable

REMEMBERED = 1024  # prompts: those that are asked again within a conversation, or for its opening

_WORDS, _TASKS, _STEP = "words.npz", "tasks.npz", "step-{}.npz"


class Judges:
    """`core.opinion.Judge`, with a memory of what was asked last."""

    def __init__(self, steps: Mapping[int, Model], tasks: TaskModel, words: WordTable, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._steps = dict(steps)
        self._tasks = tasks
        self._words = words
        self._seen = lru_cache(REMEMBERED)(self._look)
        self._judged = lru_cache(REMEMBERED)(self._judge)

    def judge(self, prompt: str, step: int) -> Opinion | None:
        return self._judged(prompt, step) if step in self._steps else None

    def task(self, prompt: str) -> TaskOpinion:
        return self._tasks.task(*self._seen(prompt))

    def _judge(self, prompt: str, step: int) -> Opinion:
        return self._steps[step].judge_seen(*self._seen(prompt))

    def _look(self, prompt: str) -> tuple[Seen, Floats]:
        seen = see(prompt)
        return seen, self._words.point(seen.words)


def pack_judges(steps: Mapping[int, Model], tasks: TaskModel, words: bytes) -> bytes:
    """One file of all. The same models make the same bytes."""
    out = BytesIO()
    parts = {_STEP.format(step): pack(model.parameters) for step, model in sorted(steps.items())}
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name, data in {_WORDS: words, _TASKS: pack_tasks(tasks), **parts}.items():
            archive.writestr(ZipInfo(name), data)
    return out.getvalue()


def unpack_judges(data: bytes) -> Judges:
    """Raises ValueError where the file is of another version."""
    with ZipFile(BytesIO(data)) as archive:
        words = WordTable.read(archive.read(_WORDS))
        steps = {}
        for name in archive.namelist():
            if name.startswith("step-"):
                number = int(name.removeprefix("step-").removesuffix(".npz"))
                steps[number] = Model(unpack(archive.read(name)), words)
        tasks = unpack_tasks(archive.read(_TASKS))
    return Judges(steps, tasks, words, blake2b(data, digest_size=8).hexdigest())
