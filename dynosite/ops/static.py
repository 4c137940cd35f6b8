"""Static files, answered before Django is asked: collected and compressed ones, or while developing the sources."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from servestatic import ServeStaticASGI

from dynosite.lib.staticfiles import HashedStaticFiles

YEAR = 365 * 24 * 60 * 60
_HASHED_NAME = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")


def serve_static(application, root: Path | None = None):
    """Wrap an ASGI application so that it also answers for the static files."""
    if settings.STATIC_FROM_SOURCE and root is None:
        return ASGIStaticFilesHandler(application)
    served = ServeStaticASGI(
        application,
        root=root or settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        max_age=60,
        allow_all_origins=False,
        immutable_file_test=lambda path, url: bool(_HASHED_NAME.search(url)),
        add_headers_function=_add_headers,
    )
    # The list of all files, which is collectstatic's own, is nobody's to read.
    served.files.pop(settings.STATIC_URL + HashedStaticFiles.manifest_name, None)
    return served


def _add_headers(headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
