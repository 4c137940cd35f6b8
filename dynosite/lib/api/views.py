"""Addresses and bodies: strict about what is sent, and nobody keeps what is answered."""

from typing import Any

from rest_framework import serializers
from rest_framework.views import APIView

from dynosite.lib.api.errors import NOT_KEPT


class View(APIView):
    """An address of an API: its answers are nobody's to keep."""

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in NOT_KEPT.items():
            answer[name] = value
        return answer


class Body(serializers.Serializer):
    """What is sent. A field that there isn't is an error: a slip of the pen would else go unheard."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({name: ["There is no such field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


def read(body: type[Body], request: Any) -> dict[str, Any]:
    """What was sent, checked. No body at all is an empty one. Raises ValidationError."""
    sent = body(data=request.data if request.data != "" else {})
    sent.is_valid(raise_exception=True)
    values: dict[str, Any] = sent.validated_data
    return values
