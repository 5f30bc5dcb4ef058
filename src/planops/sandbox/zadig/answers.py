"""The ways in which the emulated server refuses, and their bodies (docs/servers/zadig.md §2)."""

import abc

from planops.sandbox.messages import JSON_TYPE, TEXT_TYPE, Answer
from planops.sandbox.zadig import gojson

NO_DOCUMENT = "mongo: no documents in result"
COUNTER_FAILED = (6190, "获取计数器失败")
WORKFLOW_NOT_FOUND = (6542, "查询workflow失败")
PRESET_FAILED = (6545, "预配置workflow失败")
CRON_FAILED = (6810, "更新定时器失败")
NO_LICENCE = (
    7050,
    "用户许可证不可用，请检查许可证后重试",  # noqa: RUF001 - the server's own punctuation
)


class Refusal(Exception, abc.ABC):
    """Anything but success."""

    @abc.abstractmethod
    def answer(self) -> Answer:
        """The answer that says so."""


class GoError(Refusal):
    """An ordinary error of the operation: 500 with the text as description."""

    def answer(self) -> Answer:
        """The 500 envelope, whose message really ends in a colon and a space."""
        document = {"code": 500, "message": "Internal Error: ", "description": str(self)}
        return _json(500, document)

    def wrapped(self, prefix: str) -> "GoError":
        """The same error behind ``prefix: ``."""
        return GoError(f"{prefix}: {self}")


class CodedError(Refusal):
    """A coded error: 400, whatever the code."""

    def __init__(self, code: int, message: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.message = message

    def answer(self) -> Answer:
        """The coded envelope."""
        return _json(
            400,
            {
                "type": "error",
                "code": self.code,
                "message": self.message,
                "description": str(self),
                "extra": {},
            },
        )


class BadRequest(CodedError):
    """The body or the query could not be bound."""

    def __init__(self, description: str) -> None:
        super().__init__(400, "Bad Request", description)


class Empty(Refusal):
    """A status with an empty body: 401, 403, or 500 after a crash."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status} with an empty body")
        self.status = status

    def answer(self) -> Answer:
        """The bare status."""
        return Answer(status=self.status)


def panic() -> Empty:
    """What a crash of the handler answers."""
    return Empty(500)


def forbidden() -> Empty:
    """What a missing permission answers."""
    return Empty(403)


def unauthorised() -> Empty:
    """What a missing, malformed or revoked token answers."""
    return Empty(401)


def success(value: object) -> Answer:
    """The answer of an operation: its value, or the customary message when it has none."""
    return _json(200, {"message": "success"} if value is None else value)


def plain_text(status: int, text: str) -> Answer:
    """An answer of the router rather than of an operation."""
    return Answer(status=status, body=text.encode(), content_type=TEXT_TYPE)


def _json(status: int, value: object) -> Answer:
    return Answer(status=status, body=gojson.write(value), content_type=JSON_TYPE)
