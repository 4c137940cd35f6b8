"""Templates as they are sent: without the indentation that is there for their readers."""

import re
from typing import Any

from django.template.loaders import filesystem

_INDENTATION = re.compile(r"(?<=\n)[ \t]+")


class Loader(filesystem.Loader):
    """Reads the HTML templates of the project and leaves the indentation of their lines out.

    Lines stay lines, so that errors name the right one. Of what a template is filled with nothing changes: a text
    area gives back what was typed.
    """

    def get_contents(self, origin: Any) -> str:
        contents = super().get_contents(origin)
        return _INDENTATION.sub("", contents) if str(origin.name).endswith(".html") else contents
