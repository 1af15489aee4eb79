"""Turns a page's context into a response: adds the layout, the counts beside the navigation, the last result."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from ..server.attach import Switchroom
from ..server.directory import Directory
from ..server.errors import NotFound
from ..server.models import Actor, AuditEntry
from .contexts.shell import Flash, Frame, make_shell
from .nav_counts import nav_counts
from .templating import Context, html_response, is_partial_request, templates_of, urls_of
from .wording import outcome_sentence


async def render_page(
    request: Request, room: Switchroom, actor: Actor, frame: Frame, context: Context, *, status: int = 200
) -> HTMLResponse:
    """Return a whole page."""
    shell = make_shell(
        frame._replace(flash=frame.flash or await _flash(request, room.directory, actor)),
        urls_of(request),
        actor,
        servers=room.directory.server_names,
        environment=room.settings.environment,
        counts=await nav_counts(room.directory),
    )
    return html_response(templates_of(request).render(context, shell=shell), status=status)


def render_partial(
    request: Request, context: Context, *, status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """Return one partial, for htmx."""
    return html_response(templates_of(request).render(context), status=status, headers=headers)


async def _flash(request: Request, directory: Directory, actor: Actor) -> Flash | None:
    """Return what the action named by `?done=` did. The audit log is the source, so a link cannot invent one."""
    action_id = request.query_params.get("done", "")[:40]
    if not action_id:
        return None
    try:
        entry = await directory.audit_entry(action_id)
    except NotFound:
        return None
    return flash_of(entry) if entry.actor == actor.name else None


def flash_of(entry: AuditEntry) -> Flash:
    """Return an audit entry as one sentence."""
    return Flash(outcome_sentence(entry), "" if entry.outcome in ("done", "started") else "bad")


def mcp_endpoint(request: Request) -> str:
    """Return the address MCP clients connect to, as seen from this browser."""
    base = getattr(request.app.state, "mcp_base", "") or str(request.base_url).rstrip("/")
    return f"{base}{urls_of(request).mcp_path}"


async def render_form(
    request: Request,
    room: Switchroom,
    actor: Actor,
    form: Context,
    page: Context,
    title: str,
    *,
    status: int = 200,
) -> HTMLResponse:
    """Return a form as a dialog's content for htmx, otherwise as a page of its own."""
    if is_partial_request(request):
        return render_partial(request, form, status=status)
    frame = Frame("sessions", title, is_live=False)
    return await render_page(request, room, actor, frame, page, status=status)
