"""Registers our fixtures after those of pytest-django and pytest-playwright, some of which ours override."""

from importlib import import_module

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # `-p` in pyproject.toml loads before any installed plugin does, and among plugins the last one's fixture counts.
    config.pluginmanager.register(import_module("dynosite.tests.fixtures"), "dynosite-fixtures")
