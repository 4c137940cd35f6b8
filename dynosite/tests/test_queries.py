"""The assistant's SQL on the servers that people have, each migrated as it would be, with no step by hand.

The embedded one, Docker's and a managed one have a user who may make roles, an old one a superuser, some neither.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg.conninfo import make_conninfo

from dynosite.localserver import local
from dynosite.localserver.embedded import Embedded

SECRET = "a-key-for-one-test-of-queries-0123456789-0123456789"
PRODUCTION = {
    "DYNOSITE_MODE": "production",
    "ALLOWED_HOSTS": "dynosite.example",
    "FORWARDED_ALLOW_IPS": "10.0.0.5",
}
ASK = """
import json, django
django.setup()
from allocations.models import Dyno, Facility, Membership, ProvingGround
from assistant.models import Conversation, Run
from assistant.tools.caller import Ctx
from assistant.graph.calling import call
from dynosite.accounts.models import User
ground = ProvingGround.objects.create(code="N", name="N")
other = ProvingGround.objects.create(code="S", name="S")
for each, name in ((ground, "NPG 1"), (other, "STC 1")):
    Dyno.objects.create(ground=each, facility=Facility.objects.create(ground=each, name="Hall"), name=name)
user = User.objects.create_user("somebody", password=None)
Membership.objects.create(user=user, ground=ground, role="viewer")
conversation = Conversation.objects.create(user=user, ground=ground)
run = Run.objects.create(conversation=conversation, user=user, ground=ground)
ctx = Ctx(user.pk, ground.pk, conversation.pk, run.pk)
print(json.dumps(call("query_database", {"sql": "SELECT name FROM dynos"}, ctx=ctx)))
"""


class Server:
    """An embedded PostgreSQL, which asks everybody for a password."""

    def __init__(self, place: Path) -> None:
        self.at = local.servers(place)["postgres"]
        self.admin = make_conninfo(
            host="127.0.0.1",
            port=self.at["port"],
            user="postgres",
            password=local.superuser_password(place),
            dbname="dynosite",
        )

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def manage(
        self, *command: str, user: str, password: str, database: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        url = f"postgresql://{user}:{password}@127.0.0.1:{self.at['port']}/{database}"
        changed = {
            "DYNOSITE_MODE": "local",
            "DATABASE_URL": url,
            "SECRET_KEY": SECRET,
            "DJANGO_SETTINGS_MODULE": "dynosite.settings",
            **(environment or {}),
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=os.environ | changed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="dynosite-test-"))
    folder.chmod(0o711)
    servers = Embedded(folder / "local", ("postgres",), durable=False)
    servers.start()
    try:
        yield Server(folder / "local")
    finally:
        servers.stop()
        shutil.rmtree(folder)


def outputs(server: Server, **login: str) -> tuple[str, dict, str]:
    """What `migrate` said, what a query then gives, and what the check says."""
    # Quietly, as `prepare` does before `make run` starts the site.
    migrated = server.manage("manage.py", "migrate", "--verbosity=0", "--noinput", **login)
    answer = server.manage("-c", ASK, **login)
    check = server.manage("manage.py", "check", "--database=default", **login)
    return migrated.stderr, json.loads(answer.stdout.splitlines()[-1]), check.stderr


@pytest.fixture(scope="module")
def site(server) -> dict[str, Any]:
    """As `make run` and docker-compose.yml have it: an ordinary user with a database of its own."""
    login = {"user": "dynosite", "password": server.at["password"], "database": "dynosite"}
    return login | {"answers": outputs(server, **login)}


def test_embedded_server_and_docker_s_answer_with_no_step_by_hand(site):
    output, answer, check = site["answers"]
    assert (answer["status"], answer["rows"]) == ("ok", [["NPG 1"]])
    assert output == ""
    assert "assistant.W001" not in check


def test_the_role_needs_its_password_and_has_no_more_than_its_views(server, site):
    with psycopg.connect(server.admin) as connection:
        pattern = "dynosite_sql_%_login"
        (role,) = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", [pattern]).fetchone()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.admin, user=role, password="guess")


def test_user_of_a_managed_server_who_may_make_roles_is_enough(server):
    server.execute("CREATE ROLE managed LOGIN CREATEROLE PASSWORD 'm'", "CREATE DATABASE managed OWNER managed")
    output, answer, check = outputs(server, user="managed", password="m", database="managed")
    assert (answer["status"], answer["rows"]) == ("ok", [["NPG 1"]])
    assert "could not make" not in output
    assert "assistant.W001" not in check
    login = {"user": "managed", "password": "m", "database": "managed"}
    with psycopg.connect(server.admin, dbname="managed") as connection:
        (role,) = connection.execute(
            "SELECT g.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles g ON g.oid = a.grantee"
            " WHERE c.oid = 'assistant_sql.dynos'::regclass AND g.rolname LIKE 'dynosite_sql_%'"
        ).fetchone()
    server.execute(f"ALTER ROLE {role}_login SET statement_timeout = 0", f"ALTER ROLE {role} LOGIN")
    assert "can log in" in server.manage("manage.py", "check", "--database=default", **login).stderr
    server.manage("manage.py", "migrate", "--verbosity=0", "--noinput", **login)
    assert "assistant.W001" not in server.manage("manage.py", "check", "--database=default", **login).stderr


def test_where_the_role_cannot_be_made_everybody_is_told(server):
    server.execute("CREATE ROLE humble LOGIN PASSWORD 'h'", "CREATE DATABASE humble OWNER humble")
    output, answer, check = outputs(server, user="humble", password="h", database="humble")
    assert "The database user humble could not make the role" in output
    assert "permission denied to create role" in output
    assert "Give the database's user CREATEROLE" in output
    assert answer["status"] == "unavailable"
    assert answer["message"].startswith("Queries are not available here: the database role")
    assert "assistant.W001" in check
    assert "run `manage.py migrate`" in check


def test_server_that_does_not_let_the_role_in_is_told_of(server, site):
    """As behind a pooler that knows only the site's own user."""
    login = {name: site[name] for name in ("user", "password", "database")}
    with psycopg.connect(server.admin) as connection:
        pattern = "dynosite_sql_%_login"
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", [pattern]).fetchall()
    server.execute(*[f"ALTER ROLE {role} PASSWORD 'of-another'" for (role,) in rows])
    check = server.manage("manage.py", "check", "--database=default", **login).stderr
    assert "The role for read-only queries cannot connect" in check
    assert "password authentication failed" in check
    server.manage("manage.py", "migrate", "--verbosity=0", "--noinput", **login)
    assert "assistant.W001" not in server.manage("manage.py", "check", "--database=default", **login).stderr


def test_site_s_user_that_is_a_superuser_works_and_is_warned_of(server):
    server.execute("CREATE ROLE mighty LOGIN SUPERUSER PASSWORD 'm'", "CREATE DATABASE mighty OWNER mighty")
    login = {"user": "mighty", "password": "m", "database": "mighty"}
    output, answer, check = outputs(server, **login)
    assert (output, answer["rows"]) == ("", [["NPG 1"]])
    assert "dynosite.W010" not in check, "on one's own machine it is nobody's business"
    check = server.manage("manage.py", "check", "--database=default", environment=PRODUCTION, **login).stderr
    assert "(dynosite.W010) The database user mighty is a superuser." in check


def test_ordinary_user_of_the_site_is_not_warned_of(server, site):
    login = {name: site[name] for name in ("user", "password", "database")}
    check = server.manage("manage.py", "check", "--database=default", environment=PRODUCTION, **login).stderr
    assert "dynosite.W010" not in check
