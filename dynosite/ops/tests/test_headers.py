"""What guards a page in the browser is on every answer, whoever refuses it and however early."""

import pytest

from dynosite.lib.staticfiles import HashedStaticFiles
from dynosite.ops.static import serve_static

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/accounts/sign-in/", {"host": "evil.example"}, 400),
        ("/nope", {}, 404),
        ("/schedule/", {}, 302),
        ("/accounts/sign-in/?a=%00", {}, 400),
        ("/accounts/sign-in/?" + "a=1&" * 1500, {}, 400),
        ("/api/v1/nope", {}, 404),
        ("/accounts/sign-in/", {}, 200),
    ],
)
def test_every_answer_is_guarded(client, path, headers, status):
    response = client.get(path, headers=headers)
    assert response.status_code == status
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def test_refused_form_is_guarded(client):
    from django.test import Client

    response = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})
    assert (response.status_code, response["X-Frame-Options"]) == (403, "DENY")
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_foreign_host_is_guarded_where_https_is_demanded_too(client, settings):
    """There the redirect to https looks at the host before anything else does."""
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/accounts/sign-in/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/schedule/", "/vehicles/", "/accounts/tokens/", "/export/schedule.csv"])
def test_signed_in_pages_are_kept_by_nobody(client, world, path):
    client.force_login(world.users["scheduler"])
    response = client.get(path)
    assert response.status_code == 200
    assert {"private", "no-store"} <= {part.strip() for part in response["Cache-Control"].split(",")}


def test_list_of_all_static_files_is_not_served(tmp_path):
    (tmp_path / HashedStaticFiles.manifest_name).write_text("{}")
    (tmp_path / "page.css").write_text("")
    assert set(serve_static(None, root=tmp_path).files) == {"/static/page.css"}
