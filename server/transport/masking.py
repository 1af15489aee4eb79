"""What the log is given of a message: its text with secrets masked.

A call whose tool marks nothing, and that hides nothing, never comes here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ..engine.calls import Call
from ..engine.session import LiveSession
from ..errors import CannotOpen
from ..marks import MASK, Marks, Mask, marks_of, without
from ..models import Event, EventKind
from ..sealing import KeyRing, event_about
from .messages import INTERNAL_ERROR, encode, error_text, from_json

KEY_GONE = (
    "The answer holds a secret, and the key it was sealed with for resuming is gone: the server was started again "
    "without it. The call was carried out; call again for its answer."
)

NOT_KEPT = (
    "The answer is not kept any more: this server keeps payloads only as long as SWITCHROOM_PAYLOADS says. "
    "The call was carried out; call again for its answer."
)

_STRUCTURED = "structuredContent"


def masked_request(marks: Marks, raw: Mapping[str, Any], hidden: list[str]) -> str:
    """Return the text of a call's request for the log, and add its secrets to `hidden`, for what follows.

    A secret that turns up elsewhere in the request is masked there too.
    """
    params: Any = raw.get("params")
    if marks.arguments is None or not isinstance(params, dict):
        return encode(dict(raw))
    given = cast("dict[str, Any]", params)
    arguments = marks.arguments.apply(given.get("arguments"), hidden)
    rest = {name: value for name, value in given.items() if name != "arguments"}
    masked = without(hidden, {**rest, "arguments": arguments}) if "arguments" in given else rest
    return encode({**raw, "params": masked})


def masked_answer(call: Call, text: str) -> str:
    """Return an answer's text for the log; the very same text when it holds no secret."""
    marks = call.marks
    result_mask = marks.result if marks is not None else None
    if result_mask is None and not call.hidden:
        return text
    answer: dict[str, Any] = from_json(text)
    hidden = list(call.hidden)
    result: Any = answer.get("result")
    if result_mask is not None and isinstance(result, dict):
        answer["result"] = _masked_result(cast("dict[str, Any]", result), result_mask, hidden)
    body = {name: without(hidden, value) if name in ("result", "error") else value for name, value in answer.items()}
    masked = encode(body)
    return text if body == from_json(text) else masked


def masked_text(hidden: list[str], text: str) -> str:
    """Return another message of a call for the log: a notification, or a request to the client."""
    message: dict[str, Any] = from_json(text)
    if "params" not in message:
        return text
    params = without(hidden, message["params"])
    return text if params == message["params"] else encode({**message, "params": params})


def mask_of_form(method: str, params: Mapping[str, Any] | None) -> Mask | None:
    """Return what is secret in the answer to a request to the client: what the schema of an elicited form marks."""
    schema: Any = (params or {}).get("requestedSchema") if method == "elicitation/create" else None
    marks = marks_of(cast("Mapping[str, Any]", schema), None) if isinstance(schema, Mapping) else None
    return marks.arguments if marks is not None else None


def masked_reply(raw: Mapping[str, Any], hidden: list[str], form: Mask | None) -> str:
    """Return a client's answer for the log, and add what its form marks as secret to `hidden`, for what follows."""
    kept = dict(raw)
    result: Any = raw.get("result")
    if form is not None and isinstance(result, Mapping):
        answered = cast("Mapping[str, Any]", result)
        kept["result"] = {**answered, "content": form.apply(answered.get("content"), hidden)}
    return encode({name: without(hidden, kept[name]) if name in ("result", "error") else kept[name] for name in kept})


def seal_next(ring: KeyRing, session: LiveSession, text: str) -> str:
    """Return the whole text of a message sealed for the event that is appended next."""
    record = session.record
    return ring.seal(text, *event_about(record.id, record.last_seq + 1))


def whole_event(ring: KeyRing, session: LiveSession, event: Event) -> Event | None:
    """Return an event as its client gets it. Where the key is gone, an answer says so and other messages are lost."""
    if event.payload is None:
        return event._replace(payload=error_text(event.request_id or "null", INTERNAL_ERROR, NOT_KEPT))
    if event.sealed is None:
        return event
    try:
        return event._replace(payload=ring.open(event.sealed, *event_about(session.record.id, event.seq)))
    except CannotOpen:
        if event.kind is EventKind.NOTIFICATION or event.request_id is None:
            return None
        return event._replace(payload=error_text(event.request_id, INTERNAL_ERROR, KEY_GONE))


def _masked_result(result: dict[str, Any], mask: Mask, hidden: list[str]) -> dict[str, Any]:
    """Return a tool's result without its secrets: the structured content by its marks, the content as its echo."""
    structured = result.get(_STRUCTURED)
    masked = dict(result)
    if structured is not None:
        masked[_STRUCTURED] = mask.apply(structured, hidden)
    whole = mask.members.get("result")
    if whole is not None and whole.is_whole and result.get("isError") is not True:
        # The result is one plain value, and it is secret: so is every form it has in the content.
        masked["content"] = [{"type": "text", "text": MASK}] if result.get("content") else []
    elif isinstance(content := result.get("content"), list):
        masked["content"] = [_masked_block(block, structured, mask, hidden) for block in cast("list[object]", content)]
    return masked


def _masked_block(block: object, structured: Any, mask: Mask, hidden: list[str]) -> object:
    if not isinstance(block, dict):
        return block
    known = cast("dict[str, Any]", block)
    text = known.get("text")
    try:
        value: Any = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        value = None  # what of it is secret is found as an echo
    if value is not None and (value == structured or isinstance(value, dict | list)):
        return {**known, "text": json.dumps(mask.apply(value, hidden), indent=2, ensure_ascii=False)}
    return known
