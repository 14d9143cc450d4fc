"""What comes from outside, as PostgreSQL takes it."""


def to_storable(value):
    """Return a text without what PostgreSQL does not take, or a domain of such texts.

    That is NUL, and half of a surrogate pair.
    """
    if isinstance(value, str):
        return value.replace("\0", " ").encode("utf-8", "ignore").decode()
    if isinstance(value, list | tuple):
        return type(value)(to_storable(part) for part in value)
    return value
