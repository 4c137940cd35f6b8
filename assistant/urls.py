from django.urls import path

from assistant.web import messages, proposals, runs, stream, talks

app_name = "assistant"
urlpatterns = [
    path("", talks.index, name="index"),
    path("panel/", talks.panel, name="panel"),
    path("conversations/", talks.conversation_list, name="conversation-list"),
    path("ask/", runs.ask, name="ask"),
    path("c/<uuid:pk>/", talks.conversation, name="conversation"),
    path("c/<uuid:pk>/rename/", talks.rename, name="rename"),
    path("c/<uuid:pk>/delete/", talks.delete, name="delete"),
    path("c/<uuid:pk>/restore/", talks.restore, name="restore"),
    path("runs/<uuid:pk>/", runs.run, name="run"),
    path("runs/<uuid:pk>/events/", stream.events, name="run-events"),
    path("runs/<uuid:pk>/stop/", runs.stop, name="stop"),
    path("runs/<uuid:pk>/again/", runs.again, name="again"),
    path("messages/<uuid:pk>/", messages.message, name="message"),
    path("messages/<uuid:pk>/rate/", messages.rate, name="rate"),
    path("inbox/", proposals.inbox, name="inbox"),
    path("bars/", proposals.bars, name="bars"),
    path("proposals/approve-all/", proposals.approve_all, name="approve-all"),
    path("proposals/<uuid:pk>/", proposals.proposal, name="proposal"),
    path("proposals/<uuid:pk>/approve/", proposals.approve, name="approve"),
    path("proposals/<uuid:pk>/reject/", proposals.reject, name="reject"),
    path("proposals/<uuid:pk>/edit/", proposals.edit, name="edit"),
    path("proposals/<uuid:pk>/undo/", proposals.undo, name="undo"),
]
