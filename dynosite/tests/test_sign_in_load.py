"""Twenty-four sign-ins at once, against a web process as it is run."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from django.conf import settings
from django.test import Client

from benchmarks.web_process import WebProcess
from dynosite.accounts.models import User

AT_ONCE = 24
PASSWORD = "a long enough phrase"
MAX_GROWTH = 300_000
"""Kilobytes; the hashes alone took two million."""


def peak_kilobytes(pid: int) -> int:
    """The most memory that the process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def sign_in(url: str, name: str, password: str, together: Barrier) -> int:
    with httpx.Client(base_url=url, timeout=60) as client:
        page = client.get("/accounts/sign-in/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        together.wait(60)
        words = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        return client.post("/accounts/sign-in/", data=words, headers={"Referer": url}).status_code


def page_statuses(url: str, session: str, together: Barrier) -> list[int]:
    with httpx.Client(base_url=url, timeout=60, cookies={settings.SESSION_COOKIE_NAME: session}) as client:
        together.wait(60)
        return [client.get("/accounts/tokens/").status_code for _ in range(4)]


@pytest.mark.parametrize(("password", "expected"), [(PASSWORD, 302), ("a wrong phrase", 200)], ids=["right", "wrong"])
def test_sign_ins_at_once_are_answered_beside_a_page_and_take_little_memory(transactional_db, password, expected):
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer", password=None))
    session = viewer.cookies[settings.SESSION_COOKIE_NAME].value
    for number in range(AT_ONCE):
        User.objects.create_user(f"user-{number}", password=PASSWORD)
    together = Barrier(AT_ONCE + 1)
    with WebProcess({"DEBUG": "on"}) as web, ThreadPoolExecutor(AT_ONCE + 1) as pool:
        url, pid = f"http://127.0.0.1:{web.port}", web._process.pid
        httpx.get(f"{url}/accounts/sign-in/", timeout=60)
        before = peak_kilobytes(pid)
        page = pool.submit(page_statuses, url, session, together)
        sign_ins = [pool.submit(sign_in, url, f"user-{number}", password, together) for number in range(AT_ONCE)]
        statuses = {future.result() for future in sign_ins}
        # A machine that is busy with other things may have no place for some of them in time, and says so.
        assert statuses - {503} == {expected}
        assert page.result() == [200] * 4
        assert peak_kilobytes(pid) - before < MAX_GROWTH
