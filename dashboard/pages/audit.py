"""The audit log: what operators did, one action whole, and downloads of what a filter leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput
from ...server.filters import parse_audit_filter, quote_value
from ...server.models import AuditEntry
from ..contexts.audit import AuditPage, make_action, make_trail
from ..contexts.filterbar import Asked, make_bar
from ..contexts.paging import Option
from ..contexts.shell import Crumb, Frame
from ..contexts.verdicts import RESULTS_SHOWN, make_verdicts
from ..deps import CurrentActor, CurrentSwitchroom
from ..exports import Format, Row, export_response
from ..formatting import iso
from ..jsontext import object_of
from ..rendering import render_page
from ..templating import urls_of
from ..wording import action_label

router = APIRouter()

_PAGE: Final = 50
_EXPORTED_AT_ONCE: Final = 500
_COLUMNS: Final = ("id", "at", "actor", "role", "action", "target", "reason", "outcome", "address", "detail")
_HINT: Final = "Add filter, for example actor:ada or outcome:failed,refused"


async def audit_filter(
    q: Annotated[str, Query(max_length=2_100)] = "",
    add: Annotated[str, Query(max_length=2_100)] = "",
    actor: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    target: Annotated[str, Query(max_length=400)] = "",
    apply: bool = False,
) -> Asked:
    """Read the filter; `actor`, `action` and `target` are other spellings of its terms."""
    terms = {"actor": actor, "action": action, "session": target}
    spelled = [f"{key}:{quote_value(value.strip())}" for key, value in terms.items() if value.strip()]
    return Asked(" ".join([q, *spelled]), add, parse_audit_filter, is_finished=apply)


WantedActions = Annotated[Asked, Depends(audit_filter)]


@router.get("/audit")
async def list_actions(
    request: Request,
    who: CurrentActor,
    room: CurrentSwitchroom,
    asked: WantedActions,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    apply: bool = False,
) -> Response:
    """Show operators' actions, newest first; `apply` turns the words being typed into chips."""
    urls, query = urls_of(request), asked.filter
    if apply and not asked.error:
        return RedirectResponse(urls.audit(q=query.text), status_code=303)
    entries = await room.directory.audit(limit=_PAGE + 1, before=before, matching=query) if not asked.error else []
    shown = entries[:_PAGE]
    older = urls.audit(q=query.text, before=shown[-1].id) if len(entries) > _PAGE else ""
    is_filtered = bool(query.terms) or bool(asked.error)
    page = AuditPage(
        bar=make_bar(asked, lambda q: urls.audit(q=q), suggestions_url=urls.suggestions(about="audit"), hint=_HINT),
        trail=make_trail(
            shown,
            empty="No action matches." if is_filtered else "No operator has done anything yet.",
            older_url=older,
        ),
        newest_url=urls.audit(q=query.text) if before is not None else "",
        exports=tuple(
            Option(form.upper(), urls.audit_export(q=query.text, format=form), False) for form in ("csv", "json")
        ),
    )
    frame = Frame("audit", "Audit log", is_live=False)
    return await render_page(request, room, who, frame, page, status=422 if asked.error else 200)


@router.get("/audit/export")
async def export_actions(
    who: CurrentActor, room: CurrentSwitchroom, asked: WantedActions, format: Format = "csv"
) -> Response:
    """Send the actions that match as a file, newest first."""
    if asked.error:
        raise InvalidInput(asked.error)

    async def lots() -> AsyncIterator[list[Row]]:
        before: int | None = None
        while entries := await room.directory.audit(limit=_EXPORTED_AT_ONCE, before=before, matching=asked.filter):
            yield [_exported(entry, is_json=format == "json") for entry in entries]
            before = entries[-1].id

    return export_response(lots(), _COLUMNS, format, "switchroom-audit")


@router.get("/audit/{action_id}")
async def show_action(
    request: Request,
    action_id: str,
    who: CurrentActor,
    room: CurrentSwitchroom,
    result: Annotated[str, Query(max_length=400)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show one action: the exact request, and what became of each session."""
    urls, entry = urls_of(request), await room.directory.audit_entry(action_id)
    counts = await room.directory.result_counts(action_id)
    verdicts = None
    if counts:
        address = partial(urls.action, action_id)
        found = await room.directory.results(action_id, result=result or None, after=after, limit=RESULTS_SHOWN + 1)
        verdicts = make_verdicts(counts, found, urls, address, result=result)
    is_job = await room.operations.unfinished.has(action_id)
    page = make_action(entry, urls, verdicts, is_job=is_job)
    crumbs = [Crumb("Audit log", urls.audit()), Crumb(entry.action_id, is_code=True)]
    frame = Frame("audit", action_label(entry.action), crumbs, is_live=False)
    return await render_page(request, room, who, frame, page)


def _exported(entry: AuditEntry, *, is_json: bool) -> Row:
    return {
        "id": entry.action_id,
        "at": iso(entry.at),
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "target": entry.target,
        "reason": entry.reason,
        "outcome": entry.outcome,
        "address": entry.address,
        "detail": object_of(entry.detail) if is_json else entry.detail,
    }
