"""One frozen settings object, read once: arguments, then `SWITCHROOM_*`, then `.env`, then defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

GUIDE_NAMES: Final = frozenset(
    {"host", "port", "stateless_http", "json_response", "mount_path", "streamable_http_path"}
)
"""Settings that are read from `FASTMCP_<FIELD>` too, where `SWITCHROOM_<FIELD>` is not set beside it."""


class _GuideEnvironment(EnvSettingsSource):
    """The environment under the names that FastMCP servers had."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name in GUIDE_NAMES}


class _GuideDotEnv(DotEnvSettingsSource):
    """`.env` under the names that FastMCP servers had."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name in GUIDE_NAMES}


class Settings(BaseSettings):
    """Everything an operator may set. Each field is also an environment variable `SWITCHROOM_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="SWITCHROOM_", env_file=".env", extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        env_file = dotenv_settings.env_file if isinstance(dotenv_settings, DotEnvSettingsSource) else None
        guide_dotenv = _GuideDotEnv(settings_cls, env_file=env_file, env_prefix="FASTMCP_")
        guide = _GuideEnvironment(settings_cls, env_prefix="FASTMCP_")
        return init_settings, env_settings, guide, dotenv_settings, guide_dotenv

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 lets the system choose."""
    admin_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the console alone; `port` then serves MCP alone. Unset: one port serves both."""
    admin_host: str = "127.0.0.1"
    """Address that `admin_port` listens on."""
    stateless_http: bool = False
    """Serve the handshake era without sessions."""
    json_response: bool = False
    """Answer handshake-era requests as JSON instead of SSE."""
    mount_path: str = Field(default="/", pattern="^/[^?#]*$")
    """What every MCP path of `switchroom serve` begins with."""
    streamable_http_path: str = Field(default="/mcp", pattern="^/[^?#]+$")
    """Where MCP answers, below the mount path."""
    db: str = "sqlite:///switchroom.db"
    """Where sessions and their events are kept: `sqlite:///path` or `memory:`."""
    durability: Literal["interval", "commit"] = "interval"
    """`interval`: a power cut may take the last 200 ms; `commit`: it takes nothing."""
    environment: str = ""
    """Shown beside the server's name, for example `production`."""

    admin_password: str | None = None
    """Sets the password of operator `admin` (12 characters or more)."""
    allowed_hosts: str = ""
    """Comma-separated Host values accepted beside loopback, for example `console.example.org`."""
    allowed_origins: str = ""
    """Comma-separated origins whose writes are accepted, for example `https://console.example.org`."""

    trusted_proxies: str = ""
    """Comma-separated addresses or networks of the proxies whose `X-Forwarded-For` and `-Proto` count, for example
    `127.0.0.1, 10.0.0.0/8`. Nobody's count otherwise."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """One JSON object a line, or text; `auto` is text on a terminal and JSON elsewhere."""
    secret_keys: SecretStr | None = None
    """Keys that seal secret values, as `switchroom keys new` prints them, with commas between: the first one seals, all
    of them open. `temporary` makes one that goes with the process."""

    metrics: Literal["local", "token", "off"] = "local"
    """Who may read `/metrics`: `local`: this machine, and from elsewhere whoever has an API token; `token`: only who
    has one; `off`: nobody."""

    limits: Literal["on", "off"] = "on"
    """`off` lifts the limits below for load tests; refused beyond loopback."""
    max_sessions: int = Field(default=100_000, ge=1)
    """Live sessions in all."""
    max_sessions_per_address: int = Field(default=10_000, ge=1)
    """Live sessions opened from one address."""
    max_sessions_per_principal: int = Field(default=10_000, ge=1)
    """Live sessions of one principal."""
    max_opened_per_minute: int = Field(default=600, ge=1)
    """Sessions one address may open in a minute."""
    max_requests_per_minute: int = Field(default=60_000, ge=1)
    """Requests one address or principal may send in a minute."""
    max_in_flight: int = Field(default=64, ge=1)
    """Unanswered requests of one session."""
    max_in_flight_per_address: int = Field(default=2_000, ge=1)
    """Unanswered requests of one address in the 2026-07-28 era, which has no sessions."""
    max_streams: int = Field(default=16, ge=1)
    """Streams one session may hold open."""
    max_listen_streams: int = Field(default=256, ge=1)
    """Listen streams (2026-07-28) of one principal, or of one address where there are no principals."""
    max_connections: int = Field(default=10_000, ge=1)
    """Connections to `switchroom serve` in all."""
    max_connections_per_address: int = Field(default=2_500, ge=1)
    """Connections of one address that is no trusted proxy."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Largest request body."""
    body_seconds: float = Field(default=30, gt=0)
    """A client that takes longer to send a request body is cut off."""
    max_depth: int = Field(default=200, ge=8)
    """Deepest nesting of a request body."""
    head_seconds: float = Field(default=30, gt=0)
    """A connection whose request's head takes longer is closed (`switchroom serve`)."""

    idle_seconds: float = Field(default=1800, gt=0)
    """A session without request or open stream for this long expires."""
    lifetime_seconds: float | None = Field(default=None, gt=0)
    """A session older than this expires; unset means no limit."""
    timeout_rules: str = ""
    """Other limits for some: `FILTER -> idle=2h lifetime=1d`, separated by `;`; the first that matches decides."""
    max_tool_idle_seconds: float = Field(default=24 * 3600, gt=0)
    """The longest idle limit a tool may give its session."""
    hibernate_seconds: float = Field(default=30, gt=0)
    """A quiet session leaves memory after this long; its next request brings it back."""
    rejected_seconds: float = Field(default=300, gt=0)
    """How long a refused handshake stays listed."""
    request_to_client_seconds: float = Field(default=300, gt=0)
    """How long a request to a client waits for its answer."""
    stream_after_seconds: float = Field(default=0.2, gt=0)
    """A call that takes longer is answered as a live stream."""
    retry_ms: int = Field(default=2000, ge=100)
    """Reconnect delay suggested to clients in SSE."""
    ping_seconds: float = Field(default=15, gt=0)
    """Comment lines keep an idle stream open through proxies."""
    send_timeout_seconds: float = Field(default=30, gt=0)
    """A write to a client that takes longer ends that stream."""
    high_water_bytes: int = Field(default=256 * 1024, ge=1024)
    """A call that is this far ahead of its reader waits."""
    hung_call_seconds: float = Field(default=60, gt=0)
    """A call in flight for longer needs attention; a stream that listens does not count."""
    cancel_grace_seconds: float = Field(default=2, gt=0)
    """A cancelled call that ignores it is answered after this long."""

    max_events: int = Field(default=10_000, ge=100)
    """Events kept per session."""
    max_log_bytes: int = Field(default=16 * 1024 * 1024, ge=64 * 1024)
    """Bytes of events kept per session."""
    max_event_age_seconds: float = Field(default=24 * 3600, gt=0)
    """Age of the oldest event kept."""
    max_events_per_stream: int = Field(default=10_000, ge=16)
    """Events kept of what one stream carried to its client; below SWITCHROOM_MAX_EVENTS, a busy stream leaves room for
    the rest of its session's log."""
    max_log_bytes_per_stream: int = Field(default=8 * 1024 * 1024, ge=64 * 1024)
    """The same in bytes."""
    max_event_age_per_stream_seconds: float | None = Field(default=None, gt=0)
    """Age of the oldest event kept of a stream, answers of calls excepted; unset: the age of any event."""
    payloads: Literal["full", "resumable", "metadata"] = "full"
    """`full` keeps messages whole; `resumable` only what a client may still resume, for SWITCHROOM_QUEUE_SECONDS;
    `metadata` the same for SWITCHROOM_SEND_TIMEOUT_SECONDS. What is dropped leaves its row: time, method, size."""
    max_payload_bytes: int = Field(default=256 * 1024, ge=1024)
    """A payload that cannot be resumed is cut to this in the log."""
    ended_session_seconds: float = Field(default=24 * 3600, gt=0)
    """How long an ended session stays listed with its log."""
    ended_id_seconds: float = Field(default=30 * 24 * 3600, gt=0)
    """How long after its end the console can still say what became of a session's id."""
    figures_seconds: float = Field(default=7 * 24 * 3600, ge=24 * 3600)
    """How long the minutes behind the charts are kept."""
    queue_seconds: float = Field(default=600, gt=0)
    """How long a message for a client without a stream waits for it."""
    max_keys: int = Field(default=1_000, ge=1)
    """Stored keys per session."""
    max_value_bytes: int = Field(default=256 * 1024, ge=1)
    """Bytes of one stored value."""
    max_total_value_bytes: int = Field(default=4 * 1024 * 1024, ge=1)
    """Bytes of all stored values of a session."""

    max_groups: int = Field(default=16, ge=0)
    """Groups one session may be a member of; 0 turns coordination off."""
    max_group_members: int = Field(default=256, ge=2)
    """Members of one group."""
    max_group_messages_per_minute: int = Field(default=60, ge=1)
    """Messages one session may send to its groups in a minute, joining included."""
    users_file: str = "switchroom.users.json"
    """Who may sign in with `secure_login`; `switchroom users` manages it."""
    sign_in_seconds: float = Field(default=8 * 3600, gt=0)
    """A session that signed in with `secure_login` is signed out after this long."""
    max_resources: int = Field(default=64, ge=1)
    """Resources one session may hold open."""
    resource_close_seconds: float = Field(default=2, gt=0)
    """How long closing one resource may take when its session ends."""
    resources_dir: str = ""
    """Where sessions have their folders; unset: a private folder among the temporary files."""
    secure_scope: str = "admin"
    """Scope that `secure_operation` asks of access tokens, where the server asks for tokens; empty: none."""
    bulk_per_second: float = Field(default=200, ge=1, le=100_000)
    """Sessions an action on many reaches in a second, unless the operator says otherwise: their clients come back."""

    announcements: bool = True
    """Declare what broadcasts need: `logging` in the handshake era, the announcements resource in the newer one."""

    @property
    def console_host(self) -> str:
        """Address that the console listens on."""
        return self.host if self.admin_port is None else self.admin_host

    @property
    def payload_seconds(self) -> float | None:
        """How long a message to a client is kept for resuming; `None` as long as its event."""
        return {"full": None, "resumable": self.queue_seconds, "metadata": self.send_timeout_seconds}[self.payloads]

    @property
    def mcp_path(self) -> str:
        """Where `switchroom serve` answers MCP."""
        return self.mount_path.rstrip("/") + self.streamable_http_path

    @property
    def has_limits(self) -> bool:
        """Whether the limits above are in force."""
        return self.limits == "on"


def sources_of(given: Mapping[str, object]) -> dict[str, str]:
    """Return where each setting that is not at its default comes from; `given` are those given as arguments."""
    environment = {name.upper() for name in os.environ}
    dotenv = {
        "SWITCHROOM": set(DotEnvSettingsSource(Settings)().keys()),
        "FASTMCP": set(_GuideDotEnv(Settings, env_prefix="FASTMCP_")().keys()),
    }
    found: dict[str, str] = {}
    for name in Settings.model_fields:
        ours, guides = f"SWITCHROOM_{name.upper()}", f"FASTMCP_{name.upper()}"
        if name in given:
            found[name] = "argument"
        elif ours in environment:
            found[name] = ours
        elif name in GUIDE_NAMES and guides in environment:
            found[name] = guides
        elif name in dotenv["SWITCHROOM"]:
            found[name] = f"{ours} in .env"
        elif name in dotenv["FASTMCP"]:
            found[name] = f"{guides} in .env"
    return found
