from django.contrib.auth import views
from django.urls import path

from dynosite.accounts.forms import SignInForm
from dynosite.accounts.views import token_list, token_revoke

app_name = "accounts"
sign_in = views.LoginView.as_view(template_name="accounts/sign_in.html", authentication_form=SignInForm)
urlpatterns = [
    path(
        "sign-in/",
        views.LoginView.as_view(template_name="accounts/sign_in.html", authentication_form=SignInForm),
        name="sign-in",
    ),
    path("sign-out/", views.LogoutView.as_view(), name="sign-out"),
    path("tokens/", token_list, name="token-list"),
    path("tokens/<int:pk>/revoke/", token_revoke, name="token-revoke"),
]
