"""What Dynosite costs, each measured against its floor in the same run, on a scratch database.

Each module has `HELP` and `run(*, seconds) -> Report`; `manage.py benchmark NAME` makes the database before and drops
it after.
"""
