import pytest
from django.core.checks import run_checks
from django.db import connection

from dynosite import checks


def _ids(**options) -> set[str]:
    return {
        message.id for message in run_checks(include_deployment_checks=True, **options) if "dynosite" in message.id
    }


@pytest.fixture
def sound(settings):
    settings.PRODUCTION, settings.MODE = True, "production"
    settings.ALLOWED_HOSTS = ["dynosite.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://dynosite.example"]
    settings.METRICS_TOKEN = ""
    settings.FORWARDED_ALLOW_IPS = ["10.0.0.5", "10.1.0.0/24"]
    return settings


def test_sound_settings_raise_nothing(sound):
    assert _ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REDIS_URL", "localhost:6379", "dynosite.E003"),
        ("ALLOWED_HOSTS", ["dynosite.example", "*"], "dynosite.E004"),
        ("CSRF_TRUSTED_ORIGINS", ["http://dynosite.example"], "dynosite.E005"),
        ("PRODUCTION", False, "dynosite.E006"),
        ("METRICS_TOKEN", "short", "dynosite.W007"),
        ("FORWARDED_ALLOW_IPS", [], "dynosite.E008"),
        ("FORWARDED_ALLOW_IPS", ["*"], "dynosite.E009"),
        ("FORWARDED_ALLOW_IPS", ["0.0.0.0/0"], "dynosite.E009"),
        ("FORWARDED_ALLOW_IPS", ["proxy.internal"], "dynosite.E009"),
        ("FORWARDED_ALLOW_IPS", ["none", "10.0.0.5"], "dynosite.E009"),
    ],
)
def test_unsound_setting_is_named_with_what_to_do(sound, name, value, expected):
    setattr(sound, name, value)
    assert _ids() == {expected}
    message = next(message for message in run_checks(include_deployment_checks=True) if message.id == expected)
    assert message.hint


def test_site_without_a_proxy_says_so(sound):
    sound.FORWARDED_ALLOW_IPS = ["none"]
    assert _ids() == set()


def test_migrate_refuses_production_without_a_named_proxy(sound):
    """Not only `check --deploy` looks: `migrate` goes first wherever the site is started."""
    sound.FORWARDED_ALLOW_IPS = []
    assert [message.id for message in run_checks() if message.id.startswith("dynosite")] == ["dynosite.E008"]


@pytest.mark.django_db
def test_database_of_this_run_will_do():
    assert checks.check_database(None, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "value", "expected"), [("vendor", "sqlite", "E001"), ("version", (14, 2), "E002")])
def test_database_that_cannot_guard_is_refused(monkeypatch, name, value, expected):
    if name == "vendor":
        monkeypatch.setattr(connection, "vendor", value)
    else:
        monkeypatch.setattr(connection, "get_database_version", lambda: value)
    assert [message.id for message in checks.check_database(None, databases=["default"])] == [f"dynosite.{expected}"]
