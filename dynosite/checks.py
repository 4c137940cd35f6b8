"""System checks: what would go wrong later, said at the start with what to do about it."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import connections

POSTGRESQL_LEAST = 15
TOKEN_LEAST = 24


@register(Tags.database)
def check_database(app_configs, databases=None, **kwargs) -> list:
    """The guards against double-booking are PostgreSQL's; without them nothing else may run."""
    problems = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            hint = "Set DATABASE_URL to postgresql://…"
            problems.append(Error(f"The database is {connection.vendor}.", hint=hint, id="dynosite.E001"))
            continue
        if (version := connection.get_database_version()[0]) < POSTGRESQL_LEAST:
            hint = f"Use PostgreSQL {POSTGRESQL_LEAST} or later: the search for places needs its multiranges."
            problems.append(Error(f"The database is PostgreSQL {version}.", hint=hint, id="dynosite.E002"))
    return problems


@register(Tags.database)
def check_database_user(app_configs, databases=None, **kwargs) -> list:
    """A fault of the site should not be one of the whole server."""
    problems = []
    for alias in databases or [] if settings.PRODUCTION else []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            (is_superuser,) = cursor.fetchone()
        if is_superuser:
            hint = "Give it its own database and CREATEROLE instead: deploy/README.md, The database's users."
            problem = f"The database user {connection.settings_dict['USER']} is a superuser."
            problems.append(Warning(problem, hint=hint, id="dynosite.W010"))
    return problems


@register(Tags.caches)
def check_redis_url(app_configs, **kwargs) -> list:
    if urlsplit(settings.REDIS_URL).scheme in {"redis", "rediss"}:
        return []
    hint = "Set REDIS_URL to redis://host:6379/0, or rediss:// with TLS."
    return [Error("REDIS_URL is no address of a Redis.", hint=hint, id="dynosite.E003")]


@register(Tags.security, deploy=True)
def check_hosts(app_configs, **kwargs) -> list:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Name the hosts that the site is reached by, with commas between them."
    return [Error("ALLOWED_HOSTS lets any host name in.", hint=hint, id="dynosite.E004")]


@register(Tags.security, deploy=True)
def check_origins(app_configs, **kwargs) -> list:
    open_ones = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://")]
    if not open_ones:
        return []
    hint = "Forms may come from https:// origins only."
    return [Error(f"CSRF_TRUSTED_ORIGINS trusts {', '.join(open_ones)}.", hint=hint, id="dynosite.E005")]


@register(Tags.security)
def check_proxies(app_configs, **kwargs) -> list:
    """Not a deployment check: `migrate` runs it, so that no site starts which takes all clients for one."""
    if not settings.PRODUCTION:
        return []
    names = settings.FORWARDED_ALLOW_IPS
    if not names:
        hint = (
            "Set FORWARDED_ALLOW_IPS to the address or network of the proxy in front, as the web process sees it, or "
            "to none where clients reach the web process themselves."
        )
        reason = (
            "No proxy is named: behind one, all clients would have its address, and one could lock all others out."
        )
        return [Error(reason, hint=hint, id="dynosite.E008")]
    if names == ["*"]:
        hint = "Name the proxy's address or network: with * any client can choose the address it is counted by."
        return [Error("FORWARDED_ALLOW_IPS believes everybody.", hint=hint, id="dynosite.E009")]
    wrong = [name for name in names if not (name == "none" and len(names) == 1) and not _is_network(name)]
    if wrong:
        hint = "Use addresses or networks such as 10.0.0.5 or 10.0.0.0/24 with commas between, or the one word none."
        return [Error(f"FORWARDED_ALLOW_IPS has {', '.join(wrong)}.", hint=hint, id="dynosite.E009")]
    return []


def _is_network(name: str) -> bool:
    try:
        return ipaddress.ip_network(name).prefixlen > 0
    except ValueError:
        return False


@register(Tags.security, deploy=True)
def check_mode(app_configs, **kwargs) -> list:
    if settings.PRODUCTION:
        return []
    hint = "Leave DYNOSITE_MODE out, or set it to production."
    return [Error(f"DYNOSITE_MODE is {settings.MODE}.", hint=hint, id="dynosite.E006")]


@register(Tags.security, deploy=True)
def check_metrics_token(app_configs, **kwargs) -> list:
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= TOKEN_LEAST:
        return []
    hint = f"Use {TOKEN_LEAST} random characters or more, or none: then /metrics answers this machine only."
    return [Warning("METRICS_TOKEN is short enough to be guessed.", hint=hint, id="dynosite.W007")]
