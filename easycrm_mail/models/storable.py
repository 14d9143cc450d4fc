"""What comes from outside, as PostgreSQL takes it."""

#: Bytes of a name by which the mailbox's service knows a folder: it must fit into one
#: row of an index, which holds 2,700, beside the id of a mail. (Microsoft 365's ids,
#: longer than those of others, are kept short where they come in.)
MAX_NAME_BYTES = 2_500


def is_storable_name(name):
    """Tell whether what a mailbox calls something can be stored as it is."""
    return to_storable(name) == name and len(name.encode()) <= MAX_NAME_BYTES


def to_storable(value):
    """Return a text without what PostgreSQL does not take, or a domain of such texts.

    That is NUL, and half of a surrogate pair.
    """
    if isinstance(value, str):
        return value.replace("\0", " ").encode("utf-8", "ignore").decode()
    if isinstance(value, list | tuple):
        return type(value)(to_storable(part) for part in value)
    return value
