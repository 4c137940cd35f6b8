"""Health and metrics are answered first of all: a probe knows neither our host names nor a session."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from dynosite.ops.health import healthz, readyz
from dynosite.ops.metrics import metrics

PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


class ProbeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        response = probe(request)
        response["X-Content-Type-Options"] = "nosniff"
        return response
