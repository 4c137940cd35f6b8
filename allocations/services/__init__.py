"""Writes to the schedule and to master data. Each public function is one transaction and records one `Change`.

Parameters that mean the same in every service:

actor
    The user who writes, and through which door. It is this user's rights that count.
key
    Idempotency key. The same request by the same user with the same key returns the first change and writes nothing,
    as long as that change stands (`idempotency.stands`). Without a key each call writes.
version
    The version of the row that the user saw. Without it, changes made since are not checked.
confirmed
    Codes of the concerns that the user accepted (`RefusalCode` whose weight is `Weight.ASKS`).
first_day, last_day, days
    Whole days of the proving ground, both ends inclusive. For a test type that pauses on days off, a number of days
    counts days worked.

Errors that every service may raise:

NotFound
    If a row does not exist, or is in a ground where the user is not a member: the two are not told apart.
NotAllowed
    If the user's role is too low. Writing takes the role scheduler unless the function says otherwise.
Stale
    If `version` is given and the row has changed since.
KeyReused
    If the key was used for another request.
Busy
    If rows stayed locked for longer than the lock timeout; nothing was written.
Refused
    If a rule fails, with a code and a sentence for each; also DYNO_TAKEN, if another write took the days at the same
    moment.
"""
