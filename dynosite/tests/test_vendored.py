"""What is vendored is what was vendored; every icon that a template names is in the sprite."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SPRITE = ROOT / "static" / "vendor" / "lucide" / "sprite.svg"
FOLDERS = (ROOT / "static" / "vendor", ROOT / "dynosite" / "tests" / "e2e" / "vendor")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_vendored_files_match_their_sums(folder):
    listed = dict(reversed(line.split()) for line in (folder / "CHECKSUMS").read_text().splitlines())
    sums = {name.removeprefix("./"): digest for name, digest in listed.items()}
    computed = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "CHECKSUMS"
    }
    assert computed == sums


def test_every_icon_that_is_named_is_in_the_sprite():
    symbols = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'\{% icon "([^"]+)"', path.read_text())
    }
    assert named
    assert [(path, name) for path, name in sorted(named) if name not in symbols] == []
