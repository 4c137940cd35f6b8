"""The site as it runs in production: its own process, its own settings, static files collected."""

import gzip
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings

from dynosite.localserver.processes import end_with_parent
from dynosite.tests.servers import subprocess_environment, wait_until

HTTPS = {"X-Forwarded-Proto": "https", "Host": "dynosite.example"}


def _environment(**changes: str) -> dict[str, str]:
    cleared = {
        "DYNOSITE_MODE",
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "FORWARDED_ALLOW_IPS",
        "PYTEST_XDIST_WORKER",
        "DJANGO_ALLOW_ASYNC_UNSAFE",
    }
    return {name: value for name, value in os.environ.items() if name not in cleared} | changes


@pytest.fixture(scope="module")
def production(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with django_db_blocker.unblock():
        database = subprocess_environment()["DATABASE_URL"]
    environment = _environment(
        DATABASE_URL=database,
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS="dynosite.example",
        FORWARDED_ALLOW_IPS="127.0.0.1",
        STATIC_ROOT=str(tmp_path_factory.mktemp("static")),
    )
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=settings.BASE_DIR, env=environment | {"DYNOSITE_MODE": "production"}, check=True)
    command = [sys.executable, "-m", "dynosite.web_server", f"--port={port}"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, preexec_fn=end_with_parent)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:

        def answers() -> bool:
            try:
                return client.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(answers, "the production server's start", seconds=40)
            yield client
        finally:
            process.terminate()
            process.wait(15)


def test_production_is_ready_on_the_test_database(production):
    assert production.get("/readyz").json()["status"] == "ready"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        (
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        ),
    ],
)
def test_header_is_on_a_page(production, name, value):
    response = production.get("/accounts/sign-in/", headers=HTTPS)
    assert (response.status_code, response.headers[name]) == (200, value)


def test_content_security_policy_lets_in_nothing_from_elsewhere(production):
    policy = production.get("/accounts/sign-in/", headers=HTTPS).headers["Content-Security-Policy"]
    directives = {words[0]: set(words[1:]) for part in policy.split(";") if (words := part.split())}
    assert directives["default-src"] == {"'none'"}
    assert directives["script-src"] == {"'self'"}
    assert directives["frame-ancestors"] == {"'none'"}
    assert directives["base-uri"] == {"'none'"}
    assert directives["form-action"] == {"'self'"}
    loose = {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"}
    assert {name for name, allowed in directives.items() if allowed & loose} == {"style-src-attr"}


def test_server_does_not_name_itself(production):
    assert "Server" not in production.get("/accounts/sign-in/", headers=HTTPS).headers


def test_cookies_are_bound_to_this_host_and_https(production):
    cookies = production.get("/accounts/sign-in/", headers=HTTPS).headers.get_list("Set-Cookie")
    csrf = next(cookie for cookie in cookies if cookie.startswith("__Host-csrf="))
    attributes = {part.strip().lower() for part in csrf.split(";")[1:]}
    assert {"secure", "path=/", "samesite=lax"} <= attributes
    assert not any(part.startswith("domain=") for part in attributes)


def test_plain_http_is_sent_to_https(production):
    response = production.get("/accounts/sign-in/", headers={"Host": "dynosite.example"})
    assert (response.status_code, response.headers["Location"]) == (301, "https://dynosite.example/accounts/sign-in/")


def test_unknown_host_is_refused(production):
    assert production.get("/accounts/sign-in/", headers=HTTPS | {"Host": "evil.example"}).status_code == 400


def test_error_page_tells_no_detail(production):
    response = production.get("/no-such-page", headers=HTTPS)
    assert response.status_code == 404
    assert "urlpatterns" not in response.text
    assert "Traceback" not in response.text


def test_static_files_are_hashed_compressed_and_kept_for_a_year(production):
    page = production.get("/accounts/sign-in/", headers=HTTPS).text
    path = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)[1]
    with production.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == production.get(path, headers={"Accept-Encoding": "identity"}).content


def _start(**environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "import dynosite.settings"]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=_environment(**environment), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "key",
    ["", "short", "insecure-only-for-tests-and-for-building-static-files", "insecure-" + "abcdefghij" * 6, "a" * 60],
)
def test_production_refuses_a_key_that_is_no_secret(key):
    done = _start(SECRET_KEY=key)
    assert done.returncode == 1
    assert "SECRET_KEY must be a private random text of 50 characters or more" in done.stderr


def test_production_starts_with_a_secret_key_and_without_debug():
    key = secrets.token_urlsafe(50)
    done = subprocess.run(
        [sys.executable, "-c", "from dynosite import settings as s; print(s.MODE, s.DEBUG, s.ALLOWED_HOSTS)"],
        cwd=settings.BASE_DIR,
        env=_environment(SECRET_KEY=key, DEBUG="on"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["production", "False", "[]"]


def test_deployment_checks_are_clean():
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level=WARNING"]
    environment = _environment(
        DYNOSITE_MODE="production",
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS="dynosite.example",
        FORWARDED_ALLOW_IPS="10.0.0.5",
    )
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr
