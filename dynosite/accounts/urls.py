from django.contrib.auth import views
from django.urls import path

from dynosite.accounts.passwords import PasswordView
from dynosite.accounts.sign_in import SignInView
from dynosite.accounts.views import profile, token_list, token_revoke

app_name = "accounts"
urlpatterns = [
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", views.LogoutView.as_view(), name="sign-out"),
    path("password/", PasswordView.as_view(), name="password"),
    path("profile/", profile, name="profile"),
    path("tokens/", token_list, name="token-list"),
    path("tokens/<int:pk>/revoke/", token_revoke, name="token-revoke"),
]
