"""The store in SQLite or PostgreSQL."""

from monitor.evaluation.store import Store


class SqlStore(Store):
    @classmethod
    def open(cls, url: str) -> "SqlStore":
        raise NotImplementedError
