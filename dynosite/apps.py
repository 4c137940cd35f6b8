from django.apps import AppConfig


class DynositeConfig(AppConfig):
    name = "dynosite"
