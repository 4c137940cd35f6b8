import json
from http import HTTPStatus
from typing import Any

from rest_framework import exceptions
from rest_framework.parsers import BaseParser

LARGEST_BODY = 256 * 1024


class BodyTooLargeError(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = f"A body has at most {LARGEST_BODY // 1024} KB."


class SmallJson(BaseParser):
    """JSON of a size that a person's request has."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        content = stream.read(LARGEST_BODY + 1)
        if len(content) > LARGEST_BODY:
            raise BodyTooLargeError
        try:
            return json.loads(content.decode("utf-8"), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"This is no JSON: {str(error)[:200]}.") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON's")
