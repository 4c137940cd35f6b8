"""Reads of the schedule and of master data. Nothing in here writes.

Parameters that mean the same in every selector:

user
    Whose rights count. Reading takes membership in the ground (the role viewer), unless the function says otherwise.
    Functions that take a row instead of a user are for rows that the caller may see.
days, first_day, last_day
    Whole days of the proving ground, both ends inclusive.
days as a number
    How long a test takes; for a test type that pauses on days off, days worked.
limit
    Rows at most.

Errors: `NotFound` if a row does not exist, or is in a ground where the user is not a member (the two are not told
apart); `NotAllowed` if the user's role is too low.
"""
