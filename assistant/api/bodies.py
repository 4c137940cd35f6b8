"""What the addresses take."""

from rest_framework import serializers

from assistant.conversations.conversations import MAX_MESSAGE_LENGTH
from assistant.enums import ProposalStatus
from dynosite.lib.api.views import Body


class MessageBody(Body):
    text = serializers.CharField(max_length=MAX_MESSAGE_LENGTH)
    conversation = serializers.UUIDField(required=False, allow_null=True)
    ground = serializers.CharField(required=False, allow_null=True, max_length=40)


class WordBody(Body):
    word = serializers.CharField(required=False, allow_blank=True, max_length=1_000, default="")


class EditBody(Body):
    args = serializers.DictField()


class NoBody(Body):
    pass


class PageQuery(Body):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)
    offset = serializers.IntegerField(required=False, min_value=0, max_value=100_000, default=0)


class ConversationQuery(PageQuery):
    ground = serializers.CharField(required=False, max_length=40, default="")
    search = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class ProposalQuery(PageQuery):
    status = serializers.ChoiceField(required=False, choices=ProposalStatus.choices, default="")
