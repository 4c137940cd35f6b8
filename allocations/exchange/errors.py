"""What a file can be refused for as a whole; one sentence that a scheduler understands."""


class WorkbookError(Exception):
    """The file can't be read as a forecast workbook."""


class UnreadableError(Exception):
    """A cell can't be read; the message is a clause for the row's reason."""
