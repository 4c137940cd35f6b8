"""Mails notices: one mail for each person. An address that is refused does not hold up the mail of others."""

import datetime as dt
import logging
import random
import smtplib
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from allocations.access import grounds_of
from allocations.models import Notice
from dynosite.accounts.models import User
from dynosite.lib.plain_text import one_line, visible

logger = logging.getLogger(__name__)

MAILED_WITHIN = dt.timedelta(days=1)
"""What could not be mailed by then is on the page only."""
MAX_BREAKS = 3
"""Connections that may break in one round before it ends: a server may hang up on an address that it rejects."""
PERMANENT = 500
"""The lowest reply code of a permanent failure (RFC 5321)."""


def mail_notices() -> int:
    """Mails what is new, one mail for each person.

    An address that the server refuses for good is marked on its user, and not tried until the user has another. If it
    is refused for now, or the server does not answer, the notices are tried again next time. Two workers never mail
    the same notice.

    Returns
    -------
    int
        How many mails were sent; 0 without a mail server.
    """
    if not settings.EMAIL_HOST:
        return 0
    users = list(User.objects.filter(pk__in=_unmailed().values("user")))
    random.shuffle(users)  # so that one bad address does not hold up the same others each time
    connection = get_connection()
    number = breaks = 0
    for user in users:
        try:
            connection.open()
        except OSError as error:
            logger.warning("notices were not mailed, as the mail server is not reached: %s", error)
            break
        try:
            number += _mail(user, connection)
        except OSError as error:
            logger.warning("the connection broke while notices of %s were mailed: %s", user, error)
            _close(connection)
            breaks += 1
            if breaks == MAX_BREAKS:
                break
    _close(connection)
    return number


def _unmailed() -> QuerySet[Notice]:
    since = timezone.now() - MAILED_WITHIN
    return (
        Notice.objects.filter(mailed_at=None, made_at__gte=since, user__is_active=True, user__mail_notices=True)
        .exclude(user__email="")
        .exclude(user__refused_email=F("user__email"))
    )


def _mail(user: User, connection: Any) -> int:
    """Mails the notices of one user. Returns 1, or 0 if the mail was not accepted. Raises OSError if the connection
    breaks.
    """
    with transaction.atomic():
        unmailed = _unmailed().filter(user=user, ground__in=grounds_of(user)).order_by("made_at", "id")
        notices = list(unmailed.select_for_update(of=("self",), skip_locked=True).select_related("change__user"))
        if not notices:
            return 0
        message = EmailMessage(_subject(notices), _body(notices), None, [user.email], connection=connection)
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused as refusal:
            code, reply = next(iter(refusal.recipients.values()))
            _refused(user, f"{code} {reply.decode(errors='replace')}", for_good=code >= PERMANENT)
            return 0
        except (ValueError, smtplib.SMTPNotSupportedError) as error:
            _refused(user, f"It is no address that mail can be sent to: {error}", for_good=True)
            return 0
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            logger.warning("a mail to %s was not taken and is tried again: %s", user, error)
            return 0
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=timezone.now())
        return 1


def _refused(user: User, reply: str, *, for_good: bool) -> None:
    logger.warning("the address of %s was refused%s: %s", user, "" if for_good else " for now", reply)
    if for_good:
        longest = User._meta.get_field("mail_refusal").max_length
        User.objects.filter(pk=user.pk, email=user.email).update(
            refused_email=user.email, mail_refusal=reply[:longest]
        )


def _close(connection: Any) -> None:
    with suppress(OSError):
        connection.close()


def _subject(notices: list[Notice]) -> str:
    if len(notices) == 1 and not notices[0].parts:
        return one_line(f"Your booking was changed: {notices[0].sentence.partition(':')[0]}")
    return f"{sum(len(notice.parts) or 1 for notice in notices)} of your bookings were changed"


def _body(notices: list[Notice]) -> str:
    lines: list[str] = []
    last = None
    for notice in notices:
        if notice.change_id != last:
            who = notice.change.user.display_name if notice.change.user else "Somebody"
            lines += ["", f"{who}: {notice.change}" + (f" ({notice.change.reason})" if notice.change.reason else "")]
            last = notice.change_id
        lines.append(f"- {notice.sentence}")
    where = f" at {settings.PUBLIC_URL}/notices/" if settings.PUBLIC_URL else " on the page Notices"
    lines += ["", f"All of it, and a switch for these mails, is{where}."]
    return visible("\n".join(lines).lstrip()) + "\n"
