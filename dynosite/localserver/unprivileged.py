"""The user that database servers run as: never root, which PostgreSQL refuses."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

QUIET_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedError(Exception):
    """An embedded server can't be had here; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """The user that the servers run as; `switch` when this is root, which hands over."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def find(cls, *folders: Path) -> "Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switch=False)
        for folder in folders:
            if folder.exists() and (owner := folder.stat()).st_uid != 0:
                return cls(owner.st_uid, owner.st_gid, switch=True)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise EmbeddedError("PostgreSQL does not run as root, and there is no user `nobody` here.") from None
        return cls(nobody.pw_uid, nobody.pw_gid, switch=True)

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def options(self) -> dict:
        """For `subprocess`: run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def reaches(self, path: Path) -> bool:
        """Whether the user may pass through the folder, or carry out the file."""
        command = ["/usr/bin/env", "test", "-x", str(path)]
        return subprocess.run(command, cwd="/", env=QUIET_ENVIRONMENT, check=False, **self.options()).returncode == 0

    def folder(self, path: Path) -> Path:
        """Make a folder of this user's own."""
        path.mkdir(mode=0o700, exist_ok=True)
        if self.switch and path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)
        return path
