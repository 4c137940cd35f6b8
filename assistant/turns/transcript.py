"""Puts what a run says where people see it: word by word into its stream, and whole messages into the transcript."""

import time
import uuid

from django.utils import timezone

from assistant import streams
from assistant.enums import Author
from assistant.models import Message, Run
from dynosite.lib.plain_text import storable

APART = 0.03
"""Seconds between two entries of words: what comes faster is put together. The first goes out at once."""


class Transcript:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._unsaid = ""
        """Words that are not yet in the stream."""
        self.half = ""
        """The message that is being said."""
        self._told_at = 0.0
        self._written: set[str] = set()

    def words(self, text: str) -> None:
        if not self._run.first_words_at:
            self._run.first_words_at = timezone.now()
            Run.objects.filter(pk=self._run.pk).update(first_words_at=self._run.first_words_at)
        self.half += text
        self._unsaid += text
        if time.monotonic() - self._told_at >= APART:
            self.flush()

    def flush(self) -> None:
        if self._unsaid:
            streams.publish(self._run.pk, "text", text=self._unsaid)
            self._unsaid, self._told_at = "", time.monotonic()

    def restart(self) -> None:
        self.half = self._unsaid = ""
        streams.publish(self._run.pk, "restart")

    def message(self, name: str, text: str, *, cut: bool = False) -> None:
        """A whole message; `name` is its id in the graph, under which it comes once, however often it is said."""
        self.flush()
        self.half = ""
        text = storable(text)
        if not text.strip() or name in self._written:
            return
        self._written.add(name)
        message, _ = Message.objects.update_or_create(
            pk=uuid.uuid5(self._run.pk, name),
            defaults={
                "conversation_id": self._run.conversation_id,
                "run": self._run,
                "author": Author.ASSISTANT,
                "text": text,
                "cut": cut,
            },
        )
        streams.publish(self._run.pk, "message", id=message.pk)

    def keep_half(self) -> str:
        """Keeps what was said of a message that comes to no end, and returns it."""
        half = self.half
        self.message("half", half, cut=True)
        return half

    def forget_all_but(self, names: list[str]) -> None:
        """Takes out what a worker wrote that died before the graph had it: it is said anew."""
        pks = [uuid.uuid5(self._run.pk, name) for name in names]
        self._run.messages.filter(author=Author.ASSISTANT).exclude(pk__in=pks).delete()

    def put_in_order(self, names: list[str]) -> None:
        """In the graph's order, whichever of two workers wrote a message down and when."""
        rows = {row.pk: row for row in self._run.messages.filter(author=Author.ASSISTANT)}
        ordered = [rows[pk] for name in names if (pk := uuid.uuid5(self._run.pk, name)) in rows]
        for row, at in zip(ordered, sorted(row.created_at for row in ordered), strict=True):
            Message.objects.filter(pk=row.pk).update(created_at=at)
