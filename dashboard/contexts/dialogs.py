"""Forms that ask before something is done. Each is a dialog for htmx and a page of its own without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .blocks import AlsoBlock, BlockForm, CloseListeningForm, LiftForm
from .groups import RemoveForm
from .key_forms import KeyDeletionForm, KeyExpiryForm, KeyForm, KeyRevelationForm
from .operators import AccessForm


@dataclass(frozen=True, slots=True)
class ExpireForm:
    """Expire one session, or do something to some chosen ones, or to all that a filter matches."""

    template: ClassVar[str] = "dialogs/_expire.html"
    name: ClassVar[str] = "expiry"
    action: str
    verb: str
    """`expire`, or `cancel`: every call in flight of the sessions."""
    title: str
    button: str
    is_many: bool
    client: str
    """Name of the only session's client."""
    ids: tuple[str, ...]
    q: str
    excepted: tuple[str, ...]
    is_by_filter: bool
    sessions: int
    calls: int
    streams: int
    typed: str
    """What has to be typed to confirm; empty when nothing has to."""
    pace: str
    """Sessions per second, as it was sent or as the setting says; empty when there is only one session."""
    lasts: str
    """How long it takes at the pace of the setting; empty when that is no time."""
    is_job: bool
    """Whether it goes on by itself and has a page of its own."""
    reason: str
    reason_error: str
    typed_error: str
    notice: str
    """Why it was not done, when it was not the fields' fault."""
    also: AlsoBlock | None = None
    """Whom to block beside; `None` where calls are cancelled."""


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """A stream that could carry the events."""

    name: ClassVar[str] = "carrier"
    stream: int
    label: str
    hint: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ReplayedItem:
    """What would become, or became, of one event."""

    name: ClassVar[str] = "item"
    seq: int
    method: str
    new_seq: int | None
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReplayReason:
    """Why some of the chosen events are not sent, and how many."""

    name: ClassVar[str] = "excuse"
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class ReplayOutlook:
    """What a replay would do with the present choice."""

    template: ClassVar[str] = "dialogs/_replay_plan.html"
    name: ClassVar[str] = "outlook"
    chosen: int
    sendable: int
    size: str
    excuses: tuple[ReplayReason, ...]
    items: tuple[ReplayedItem, ...]
    more: int
    error: str
    """Why nothing can be said yet: a number is missing, or too many are chosen."""


@dataclass(frozen=True, slots=True)
class ReplayForm:
    """Send notifications of a session again."""

    template: ClassVar[str] = "dialogs/_replay.html"
    name: ClassVar[str] = "again"
    action: str
    client: str
    choice: str
    """`one`, `from` or `range`."""
    seq: str
    from_seq: str
    range_from: str
    range_to: str
    last_seq: int
    targets: tuple[ReplayTarget, ...]
    outlook: ReplayOutlook
    error: str


@dataclass(frozen=True, slots=True)
class ReplayDone:
    """The result of a replay, event by event."""

    template: ClassVar[str] = "dialogs/_replayed.html"
    name: ClassVar[str] = "replayed"
    back: str
    delivered: int
    queued: int
    skipped: int
    excuses: tuple[ReplayReason, ...]
    items: tuple[ReplayedItem, ...]
    more: int


@dataclass(frozen=True, slots=True)
class MessageForm:
    """Send one message to one session."""

    template: ClassVar[str] = "dialogs/_message.html"
    name: ClassVar[str] = "letter"
    action: str
    client: str
    outlook: str
    """How it reaches the client, and when."""
    text: str
    level: str
    levels: tuple[str, ...]
    idempotency_key: str
    error: str


@dataclass(frozen=True, slots=True)
class CancelForm:
    """Cancel one call in flight."""

    template: ClassVar[str] = "dialogs/_cancel.html"
    name: ClassVar[str] = "cancelling"
    action: str
    request_id: str
    shown_id: str
    method: str
    target: str
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class TimeoutsForm:
    """Extend or shorten how long one session may be idle, or may live."""

    template: ClassVar[str] = "dialogs/_timeouts.html"
    name: ClassVar[str] = "limits"
    action: str
    client: str
    now: str
    idle: str
    idle_hint: str
    idle_error: str
    why_no_idle: str
    lifetime: str
    lifetime_hint: str
    lifetime_error: str
    reason: str
    reason_error: str


@dataclass(frozen=True, slots=True)
class ClosingForm:
    """End one thing of a session, and leave the session alone: a stream, a resource, a sign-in."""

    template: ClassVar[str] = "dialogs/_close.html"
    name: ClassVar[str] = "closing"
    action: str
    title: str
    outlook: str
    """What follows for its client."""
    keep: str
    button: str
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """The list of keys; the same on every page."""

    template: ClassVar[str] = "dialogs/_shortcuts.html"
    name: ClassVar[str] = "shortcuts"
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form as a whole page, for browsers without script; exactly one of the forms is set."""

    template: ClassVar[str] = "dialogs/page.html"
    name: ClassVar[str] = "form_page"
    removal: RemoveForm | None = None
    barring: BlockForm | None = None
    lifting: LiftForm | None = None
    hush: CloseListeningForm | None = None
    expiry: ExpireForm | None = None
    again: ReplayForm | None = None
    replayed: ReplayDone | None = None
    letter: MessageForm | None = None
    cancelling: CancelForm | None = None
    closing: ClosingForm | None = None
    limits: TimeoutsForm | None = None
    shortcuts: Shortcuts | None = None
    access: AccessForm | None = None
    keying: KeyForm | None = None
    lasting: KeyExpiryForm | None = None
    dropping: KeyDeletionForm | None = None
    revealing: KeyRevelationForm | None = None


@dataclass(frozen=True, slots=True)
class Toast:
    """What was done, in the corner of the page that asked for it."""

    template: ClassVar[str] = "dialogs/_toast.html"
    name: ClassVar[str] = "toast"
    text: str
    tone: str
    url: str
    link: str
