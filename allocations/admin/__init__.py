"""The administration. Importing it registers every model."""

from allocations.admin import bookings, changes, dynos, fleet, maintenance, members, requests

__all__ = ["bookings", "changes", "dynos", "fleet", "maintenance", "members", "requests"]
