"""What comes back after an action: a notice in the page for htmx, a redirect that shows it otherwise."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ...server.directory import Directory
from ...server.errors import NotFound
from ..contexts.dialogs import Toast
from ..rendering import flash_of, render_partial
from ..templating import is_partial_request


async def done(
    request: Request,
    directory: Directory,
    action_id: str,
    back: str,
    *,
    fallback: str,
    clears_selection: bool = False,
    refreshes: bool = False,
) -> Response:
    """Say what an action did, in the words of its audit entry; `fallback` stands in when that is not written."""
    if not is_partial_request(request):
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}done={action_id}", status_code=303)
    try:
        flash = flash_of(await directory.audit_entry(action_id))
        toast = Toast(flash.text, flash.tone, "", "")
    except NotFound:
        toast = Toast(fallback, "", "", "")
    return notice(request, toast, clears_selection=clears_selection, refreshes=refreshes)


def notice(request: Request, toast: Toast, *, clears_selection: bool = False, refreshes: bool = False) -> HTMLResponse:
    """Close the dialog and show a notice; the page reads itself again when it `refreshes`."""
    trigger = "dialog:close,selection:clear" if clears_selection else "dialog:close"
    if refreshes:
        trigger += ",resync"
    return render_partial(request, toast, headers={"HX-Trigger": trigger, "HX-Reswap": "none"})


def leave_for(request: Request, url: str, *, clears_selection: bool = False) -> Response:
    """Go to another page, where the action is seen going on."""
    if not is_partial_request(request):
        return RedirectResponse(url, status_code=303)
    headers = {"HX-Redirect": url} | ({"HX-Trigger": "selection:clear"} if clears_selection else {})
    return Response(status_code=200, headers=headers)
