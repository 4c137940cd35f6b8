"""Included in the namespace `api`; the names carry the app's."""

from django.urls import path

from assistant.api import stream, views

urlpatterns = [
    path("messages", views.Messages.as_view(), name="assistant-messages"),
    path("conversations", views.Conversations.as_view(), name="assistant-conversations"),
    path("conversations/<uuid:pk>", views.OneConversation.as_view(), name="assistant-conversation"),
    path("runs/<uuid:pk>", views.OneRun.as_view(), name="assistant-run"),
    path("runs/<uuid:pk>/events", stream.events, name="assistant-run-events"),
    path("runs/<uuid:pk>/stop", views.Stop.as_view(), name="assistant-run-stop"),
    path("runs/<uuid:pk>/again", views.Again.as_view(), name="assistant-run-again"),
    path("proposals", views.Proposals.as_view(), name="assistant-proposals"),
    path("proposals/<uuid:pk>", views.OneProposal.as_view(), name="assistant-proposal"),
    path("proposals/<uuid:pk>/approve", views.Approve.as_view(), name="assistant-proposal-approve"),
    path("proposals/<uuid:pk>/reject", views.Reject.as_view(), name="assistant-proposal-reject"),
    path("proposals/<uuid:pk>/edit", views.Edit.as_view(), name="assistant-proposal-edit"),
    path("proposals/<uuid:pk>/undo", views.Undo.as_view(), name="assistant-proposal-undo"),
]
