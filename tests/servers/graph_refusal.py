"""An error of Graph's."""

from .web import Answer


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str = "", **headers: str):
        super().__init__(code)
        body = {"error": {"code": code, "message": message or code}}
        self.answer = Answer(body, status, headers)
