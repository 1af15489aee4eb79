"""What the API takes in bodies. Unknown members are refused, and so is everything out of bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from .values import FilterText, PlainText, Reason, depth_of

MAX_IDS = 1_000
MAX_VALUE_DEPTH = 100
MAX_SEQ = 2**53 - 1
"""What every JSON reader can hold exactly (RFC 8259, section 6)."""

Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]
SessionId = Annotated[PlainText, Field(min_length=1, max_length=64)]
Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]


def _shallow(value: Any) -> Any:
    if depth_of(value) > MAX_VALUE_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_VALUE_DEPTH} levels")
    return value


class Body(BaseModel):
    """Base of every body: exact types, no unknown members."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class LookupIn(Body):
    """The secret that names a session to its client."""

    mcp_session_id: Annotated[PlainText, Field(min_length=1, max_length=256)]


class ExpirationIn(Body):
    """Ends one session."""

    reason: Reason


class ManyIn(Body):
    """Whom an action on many is about: live sessions that a filter matches, or sessions by id."""

    filter: FilterText | None = Field(default=None, description="Empty matches every live session.")
    session_ids: Annotated[list[SessionId], Field(max_length=MAX_IDS)] = Field(
        default=[], description="Chosen sessions, instead of a filter."
    )
    reason: Reason
    expected: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = Field(
        default=None,
        description="With a filter: how many you saw. A tenth more than this now: 409, and nothing is done.",
    )
    exclude: Annotated[list[SessionId], Field(max_length=MAX_IDS)] = Field(
        default=[], description="Ids of sessions to leave alone."
    )
    per_second: Annotated[float, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="Sessions to reach in a second; by default `SWITCHROOM_BULK_PER_SECOND`."
    )

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.filter is None) is not bool(self.session_ids):
            raise ValueError("give a filter or session_ids, and not both")
        if self.filter is not None and self.expected is None:
            raise ValueError("a filter needs expected, the number of sessions that you saw")
        return self


class ExpirationsIn(ManyIn):
    """Ends many sessions."""


class CancellationsIn(ManyIn):
    """Cancels every call in flight of many sessions."""


class ReplayIn(Body):
    """Sends logged notifications again: those after one, some by number, or a range."""

    after_seq: Seq | None = None
    seqs: Annotated[list[Annotated[int, Field(ge=1, le=MAX_SEQ)]], Field(min_length=1, max_length=MAX_IDS)] | None = (
        None
    )
    from_seq: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = None
    to_seq: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = None
    stream: Annotated[Seq, Field(description="0, the GET stream, or that of a call whose client holds it open.")] = 0

    @model_validator(mode="after")
    def _one_selection(self) -> ReplayIn:
        has_range = self.from_seq is not None or self.to_seq is not None
        if [self.after_seq is not None, self.seqs is not None, has_range].count(True) != 1:
            raise ValueError("choose events in one way: after_seq, seqs, or from_seq with to_seq")
        if has_range and (self.from_seq is None or self.to_seq is None or self.from_seq > self.to_seq):
            raise ValueError("a range needs from_seq and to_seq, in this order")
        return self


class CancellationIn(Body):
    """Cancels one call that has not been answered."""

    request_id: Annotated[StrictInt, Field(ge=-MAX_SEQ, le=MAX_SEQ)] | Annotated[StrictStr, Field(max_length=1_000)] = (
        Field(description='In its JSON type: `5` and `"5"` are two ids.')
    )
    reason: Reason


class ResourceClosingIn(Body):
    """Closes something a session holds open."""

    reason: Reason


class SignOutIn(Body):
    """Ends a session's sign-in."""

    reason: Reason


class StreamClosingIn(Body):
    """Ends one open stream; its client may reconnect."""

    reason: Reason


class BroadcastIn(Body):
    """One message to many sessions."""

    text: Annotated[PlainText, Field(max_length=10_000)] = ""
    level: Level = "info"
    filter: FilterText | None = Field(
        default=None, description="Who gets it; without it every live session and client."
    )
    exclude: FilterText | None = Field(default=None, description="Who does not get it all the same.")
    session_ids: Annotated[list[SessionId], Field(max_length=MAX_IDS)] = Field(
        default=[], description="Chosen sessions, instead of a filter."
    )
    method: Literal[
        "notifications/message",
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
    ] = Field(default="notifications/message", description="A list-changed notification carries no text.")
    logger: Annotated[PlainText, Field(min_length=1, max_length=64)] = "switchroom"
    is_json: bool = Field(default=False, description="Whether `text` is JSON text, sent as the value it spells.")
    is_queued: bool = Field(default=True, description="Whether it waits for a client without a stream, or skips it.")
    idempotency_key: Annotated[PlainText, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="A second request with the same key returns the first broadcast."
    )
    ttl_seconds: Annotated[float, Field(gt=0, le=7 * 24 * 3600)] | None = Field(
        default=None, description="How long the message waits for a client without a stream."
    )

    @model_validator(mode="after")
    def _one_audience(self) -> BroadcastIn:
        if self.session_ids and (self.filter is not None or self.exclude is not None):
            raise ValueError("give session_ids, or filter and exclude, not both")
        return self


class KeyIn(Body):
    """A value to store."""

    value: Annotated[Any, AfterValidator(_shallow)] = Field(description="Any JSON value.")
    if_version: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = Field(
        default=None, description="Store only if this is the present version; 0: only if there is none."
    )
    secret: bool = Field(default=False, description="Seal it. What is a secret stays one until it is deleted.")


KeyName = Annotated[PlainText, Field(min_length=1, max_length=1_000)]


class KeyExpiryIn(Body):
    """When a stored key vanishes."""

    key: KeyName
    ttl_seconds: Annotated[float, Field(gt=0)] | None = Field(description="Seconds from now; null: with its session.")
    if_version: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = Field(
        default=None, description="Change it only if this is the present version."
    )


class KeyRevelationIn(Body):
    """Asks for the value of a secret."""

    key: KeyName
    password: Annotated[StrictStr, Field(min_length=1, max_length=1_000)] = Field(
        description="The password of the admin who asks, given again."
    )
    operator: Annotated[StrictStr, Field(max_length=64)] = Field(
        default="", description="Whose password it is; needed with an API token, which has none."
    )
    event_seq: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = Field(
        default=None, description="The value that this `key` event set, instead of the present one."
    )
