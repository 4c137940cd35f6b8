"""What was written, by whom and through which door; read, and undone through the service."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from allocations.admin.asking import confirmed, repeated
from allocations.admin.base import GroundAdmin
from allocations.admin.scope import actor_of
from allocations.exceptions import DomainError
from allocations.models import Change
from allocations.selectors.revisions import is_kept
from allocations.services.undo import undo
from allocations.services.unit_of_work import NAMES
from dynosite.lib.moments import moment

UNDOABLE = frozenset(NAMES.values())


@admin.register(Change)
class ChangeAdmin(GroundAdmin):
    change_form_template = "admin/change_detail.html"
    list_display = ["when", "summary_or_action", "who", "door", "ground_code", "undone"]
    list_display_links = ["when", "summary_or_action"]
    list_filter = ["action", "door", ("ground", admin.RelatedOnlyFieldListFilter), "at"]
    search_fields = ["summary", "reason", "user__username", "request_id"]
    date_hierarchy = "at"
    fields = ["at", "ground", "action", "summary", "who", "door", "reason", "rows", "request_id", "undoes", "undone"]
    readonly_fields = ["who", "rows", "undone"]
    actions = ["undo_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "ground", "undone_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_add_permission

    @admin.display(ordering="at")
    def when(self, change: Change) -> str:
        return moment(change.at, change.ground.time_zone)

    @admin.display(description="what")
    def summary_or_action(self, change: Change) -> str:
        return str(change)

    @admin.display(ordering="user__username")
    def who(self, change: Change) -> str:
        return change.user.display_name if change.user else "–"

    @admin.display(boolean=True)
    def undone(self, change: Change) -> bool:
        return hasattr(change, "undone_by")

    @admin.display(description="rows written")
    def rows(self, change: Change) -> str:
        return "; ".join(f"{item['model']} {item['id']}" for item in change.items) or "none"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        change = self.get_object(request, unquote(object_id)) if object_id else None
        context = {"can_undo": change is not None and _can_undo(change), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404  # a change is history itself

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.undo_view)
        return [path("<path:object_id>/undo/", view, name="allocations_change_undo"), *super().get_urls()]

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        change = self.get_object(request, unquote(object_id))
        if change is None:
            raise Http404
        answer = self._undoing(request, [change])
        return answer or HttpResponseRedirect(reverse("admin:allocations_change_change", args=[change.pk]))

    @admin.action(description="Undo the change selected", permissions=["view"])
    def undo_selected(self, request: HttpRequest, changes: QuerySet) -> HttpResponse | None:
        rows = list(changes)
        if len(rows) != 1:
            self.message_user(request, "Choose one change: each is undone as one.", messages.WARNING)
            return None
        return self._undoing(request, rows)

    def _undoing(self, request: HttpRequest, changes: list[Change]) -> HttpResponse | None:
        if not confirmed(request):
            return self.page(
                request,
                "admin/confirm.html",
                title="Undo a change",
                lead="Each row goes back to what it was, if nobody has changed it since and its place is free.",
                rows=changes,
                button="Undo it",
                fields=repeated(request),
            )
        try:
            done = undo(changes[0].pk, actor=actor_of(request))
        except DomainError as error:
            self.message_user(request, error.sentence, messages.ERROR)
            return None
        self.message_user(request, f"{done.summary}.", messages.SUCCESS)
        return None


def _can_undo(change: Change) -> bool:
    models = {item["model"] for item in change.items}
    return (is_kept(change.items) or (bool(models) and models <= UNDOABLE)) and not hasattr(change, "undone_by")
