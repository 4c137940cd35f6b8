"""Lists that are read and never written, with what they add up to above them."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.html import format_html

from allocations.admin.base import GroundAdmin
from assistant.governance.usage_figures import Bars, FigureTable
from dynosite.lib.csv_files import csv_answer


class SuperuserOnly(GroundAdmin):
    """For what holds for the whole site."""

    def _is_superuser(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_module_permission = has_view_permission = has_change_permission = _is_superuser


class ReadOnlyAdmin(GroundAdmin):
    """`summary` makes tables, and a chart, of the rows that the filters leave."""

    change_list_template = "admin/assistant/list.html"
    list_display_links: Any = None
    export: tuple[str, ...] = ()
    """Columns of the CSV file, as names of fields; none: no export."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_add_permission

    def summary(self, request: HttpRequest, rows: QuerySet) -> tuple[list[FigureTable], Bars | None]:
        return [], None

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            tables, chart = self.summary(request, context["cl"].queryset)
            query = request.GET.urlencode()
            export = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export") if self.export else ""
            export += f"?{query}" if export and query else ""
            context |= {"tables": tables, "chart": chart, "export": export}
        return response

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404  # all that there is of it is in the list, or on its run's page

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404

    def get_urls(self) -> list:
        if not self.export:
            return super().get_urls()
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=f"assistant_{self.opts.model_name}_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """The rows of the list as it is filtered, all of them."""
        if not self.has_view_permission(request):
            raise Http404
        try:
            rows = self.get_changelist_instance(request).queryset.values_list(*self.export)
        except IncorrectLookupParameters:
            raise BadRequest("A filter in the address makes no sense.") from None
        heading = [name.replace("__", " ") for name in self.export]
        return csv_answer(str(self.opts.model_name), heading, rows.iterator(chunk_size=500))


def run_link(run_id: Any, text: Any) -> str:
    if run_id is None:
        return str(text)
    return format_html('<a href="{}">{}</a>', reverse("admin:assistant_run_change", args=[run_id]), text)
