"""Placeholder until the real one lands: overwrite this file."""


class ImapProvider:
    def __init__(self, *args, **kwargs):
        pass
