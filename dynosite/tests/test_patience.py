"""What starts is waited for as long as it moves."""

import os
import subprocess
import sys

import pytest

from dynosite.localserver import processes
from dynosite.localserver.patience import BUSY, LOOK_EVERY, QUIET_SECONDS, READ, Patience, work_of
from dynosite.tests.servers import wait_until


class Slow:
    """A machine on which time goes on by itself, and work only where a test does some."""

    def __init__(self) -> None:
        self.now, self.seconds, self.read, self.lines = 0.0, 0.0, 0, 0
        self.patience = Patience(list, lambda: self.lines, clock=lambda: self.now, work=self.work)

    def work(self, pids: list[int]) -> tuple[float, int]:
        return self.seconds, self.read

    def after(self, seconds: float) -> bool:
        """Whether patience is over then, looked at as often as `up` does."""
        end = self.now + seconds
        while self.now < end:
            self.now += 1
            if self.patience.is_over():
                return True
        return False


@pytest.fixture
def machine():
    return Slow()


def test_silence_is_waited_for_and_then_no_more(machine):
    assert not machine.after(QUIET_SECONDS)
    assert machine.after(LOOK_EVERY)


@pytest.mark.parametrize("sign", ["lines", "seconds", "read"])
def test_an_hour_of_slow_progress_is_waited_for(machine, sign):
    step = {"lines": 1, "seconds": BUSY * QUIET_SECONDS, "read": READ}[sign]
    for _ in range(60):
        assert not machine.after(QUIET_SECONDS - LOOK_EVERY)
        setattr(machine, sign, getattr(machine, sign) + step)
    assert machine.after(2 * QUIET_SECONDS)


def test_what_programs_use_that_only_wait_is_no_progress(machine):
    for _ in range(int(QUIET_SECONDS)):
        machine.seconds += BUSY / 2
        machine.read += 1_000
        over = machine.after(1)
    assert over or machine.after(LOOK_EVERY)


def test_the_work_of_a_process_and_its_children_is_seen():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**8)); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as parent:
        wait_until(lambda: len(processes.family([parent.pid])) == 2, "the child")
        wait_until(lambda: work_of(processes.family([parent.pid]))[0] > 0.2, "its work")
        assert os.getpid() not in processes.family([parent.pid])
        parent.communicate(b"\n")
    assert work_of([parent.pid]) == (0.0, 0)
