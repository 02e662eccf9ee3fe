"""What the store of evaluations says when it cannot do what it was asked: for people, and with no password in it."""


class StoreError(Exception):
    """The store cannot be opened, or did not do what it was asked."""


class FullError(StoreError):
    """Its disk has no room for what was to be written; deleting needs some, too."""


class RowError(StoreError):
    """A row cannot be imported, so none was; the message has its number, the field, and what would be right."""
