from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "dynosite.accounts"
    label = "accounts"
