from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Who signs in. Rights per proving ground are memberships, in `allocations`."""

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
