"""What actions and their results are called, in the words an operator reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..server.models import AuditEntry, SessionKind
from .formatting import plural
from .jsontext import object_of

ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "expire": "Expire",
        "cancel": "Cancel call",
        "cancel_calls": "Cancel calls",
        "stop_job": "Stop job",
        "close_stream": "Close stream",
        "set_timeouts": "Change limits",
        "replay": "Replay",
        "broadcast": "Broadcast",
        "stop_broadcast": "Stop broadcast",
        "try_broadcast": "Try broadcast",
        "block": "Block",
        "lift_block": "Lift block",
        "remove_member": "Remove from group",
        "close_listen_streams": "Close listen streams",
        "end_sign_in": "End sign-in",
        "close_resource": "Close resource",
        "set_key": "Set key",
        "delete_key": "Delete key",
        "add_operator": "Add operator",
        "set_role": "Change role",
        "disable_operator": "Disable operator",
        "enable_operator": "Enable operator",
        "make_link": "Make sign-in link",
        "change_password": "Change password",
        "create_token": "Create token",
        "revoke_token": "Revoke token",
        "end_operator_sign_in": "End operator's sign-in",
        "set_key_ttl": "Set key's time to live",
        "reveal_key": "Reveal secret",
        "rotate_keys": "Rotate keys",
        "sign_in": "Sign in",
        "sign_out": "Sign out",
    }
)
"""Names of actions; anything else is shown as it was recorded."""

TRANSPORTS: Final[Mapping[SessionKind, str]] = MappingProxyType(
    {
        SessionKind.STREAMABLE_HTTP: "Streamable HTTP",
        SessionKind.SSE: "HTTP + SSE",
        SessionKind.STDIO: "stdio",
        SessionKind.HANDLE: "Handle",
        SessionKind.CLIENT: "Sessionless",
    }
)

OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {"done": "Done", "partly": "Partly", "refused": "Refused", "failed": "Failed", "started": "Started"}
)


def action_label(action: str) -> str:
    """Return the name of an action."""
    return ACTIONS.get(action, action.replace("_", " ").capitalize())


def result_text(entry: AuditEntry) -> str:
    """Return what came of an action in a few words: `3,120 expired, 8 already ended`."""
    detail = object_of(entry.detail)
    if "error" in detail:
        return str(detail["error"])
    if entry.action == "cancel_calls":
        return _counts(
            detail,
            cancelled="cancelled",
            answered_by_leg="answered here while the handler went on",
            still_running="still running",
            already_answered="answered meanwhile",
            without_calls="sessions without a call",
        )
    if entry.action == "expire":
        return _counts(detail, expired="expired", already_ended="already ended", failed="failed")
    if entry.action == "replay":
        return _counts(detail, delivered="delivered", queued="queued", skipped="skipped") or "nothing to send again"
    if entry.action in _RULES:
        return _RULES[entry.action](detail)
    if entry.action in ("broadcast", "try_broadcast") and "audience" in detail:
        return f"to {plural(_number(detail, 'audience'), 'recipient')}"
    if entry.action == "set_timeouts" and "idle" in detail:
        return f"idle {detail['idle']}, lifetime {detail['lifetime']}"
    if entry.action == "cancel" and "result" in detail:
        return str(detail["result"]).replace("_", " ")
    if entry.action == "close_resource" and "resource" in detail:
        return f"{detail['resource']}{': ' + str(detail['problem']) if 'problem' in detail else ''}"
    if entry.action == "end_sign_in" and "user" in detail:
        return f"{detail['user']} was signed out"
    if "needs" in detail:
        return f"needs the role {detail['needs']}"
    return ""


def _block_text(detail: Mapping[str, Any]) -> str:
    kind = {"client": "client name", "address": "address"}.get(str(detail.get("kind")), str(detail.get("kind", "")))
    ended = _counts(detail, expired="expired", streams_closed="streams closed")
    words = f"{kind} {detail.get('value', '')}".strip()
    stored = "" if detail.get("stored", True) else ", not stored yet"
    return f"{words}, {ended}{stored}" if ended else f"{words}{stored}"


_RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = MappingProxyType(
    {
        "block": _block_text,
        "lift_block": _block_text,
        "remove_member": lambda detail: f"{detail.get('session', '')} from {detail.get('group', '')}",
        "close_listen_streams": lambda detail: plural(_number(detail, "streams_closed"), "stream"),
    }
)
"""What came of actions on groups, blocks and clients."""


def outcome_sentence(entry: AuditEntry) -> str:
    """Return one sentence for the notice after an action."""
    detail = object_of(entry.detail)
    if entry.action == "expire" and "expired" in detail:
        rest = _counts(detail, already_ended="had ended already", failed="failed")
        ended = plural(_number(detail, "calls_ended"), "call")
        streams = plural(_number(detail, "streams_closed"), "stream")
        tail = f"; {rest}" if rest else ""
        return f"Expired {plural(_number(detail, 'expired'), 'session')}{tail}. Ended {ended} and closed {streams}."
    if entry.action in ("expire", "cancel_calls") and entry.outcome == "started":
        return f"{action_label(entry.action)}: under way."
    words = result_text(entry)
    label = f"{action_label(entry.action)}: {OUTCOMES.get(entry.outcome, entry.outcome).lower()}"
    return f"{label}, {words}." if words else f"{label}."


def _number(detail: Mapping[str, Any], name: str) -> int:
    value = detail.get(name, 0)
    return value if isinstance(value, int) else 0


def _counts(detail: Mapping[str, Any], **words: str) -> str:
    found = [(_number(detail, name), word) for name, word in words.items()]
    return ", ".join(f"{number:,} {word}" for number, word in found if number)
