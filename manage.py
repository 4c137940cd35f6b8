#!/usr/bin/env python
import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dynosite.settings")
    if Path(__file__).with_name(".local").joinpath("servers.json").exists():
        # `make run` was here: commands go to its database.
        os.environ.setdefault("DYNOSITE_MODE", "local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
