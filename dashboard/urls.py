"""Every address of the console, mount prefix included; needs no request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

QueryValue = str | int | bool | None | Sequence[str]

TABS = ("timeline", "events", "keys", "streams", "resources", "errors", "capabilities", "audit")
"""Tabs of a session's page; the first one has the session's own address."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Builds addresses below one prefix, for example `/admin`; `""` mounts the console at the root."""

    prefix: str = "/admin"
    asset_hash: str = "-"
    mcp_path: str = "/mcp"
    """Where MCP clients connect; shown to people, never requested by the console."""

    def at(self, path: str, **query: QueryValue) -> str:
        """Return `prefix + path`; unset, empty and false query values are left out."""
        pairs = [
            (name.rstrip("_"), value) for name, value in query.items() if value or (value == 0 and value is not False)
        ]
        text = urlencode([(name, 1 if value is True else value) for name, value in pairs], doseq=True, safe=":,.*@")
        return f"{self.prefix}{path}" + (f"?{text}" if text else "")

    def static(self, name: str) -> str:
        return f"{self.prefix}/static/{self.asset_hash}/{name}"

    def overview(self, range_: str = "") -> str:
        return self.at("/", range_=range_)

    def calls(self, **query: QueryValue) -> str:
        return self.at("/calls", **query)

    def sessions(self, q: str = "", **query: QueryValue) -> str:
        return self.at("/sessions", q=q, **query)

    def session(self, session_id: str, tab: str = "timeline", **query: QueryValue) -> str:
        path = f"/sessions/{quote(session_id, safe='')}"
        return self.at(path if tab == TABS[0] else f"{path}/{tab}", **query)

    def timeouts(self, session_id: str) -> str:
        return self.session(session_id, "timeouts")

    def expiration(self, session_id: str) -> str:
        return self.session(session_id, "expiration")

    def replays(self, session_id: str, **query: QueryValue) -> str:
        return self.session(session_id, "replays", **query)

    def messages(self, session_id: str) -> str:
        return self.session(session_id, "messages")

    def cancellations(self, session_id: str, request_id: str = "") -> str:
        return self.session(session_id, "cancellations", request_id=request_id)

    def stream_closing(self, session_id: str, stream: int) -> str:
        return self.session(session_id, f"streams/{stream}/closing")

    def resource_closing(self, session_id: str, number: int) -> str:
        return self.session(session_id, f"resources/{number}/closing")

    def sign_in_ending(self, session_id: str) -> str:
        return self.session(session_id, "sign-out")

    def key_form(self, session_id: str, form: str, **query: QueryValue) -> str:
        """Return the address of a form about stored keys: `new`, `value`, `expiry`, `deletion` or `revelation`."""
        return self.session(session_id, f"keys/{form}", **query)

    def payload(self, session_id: str, seq: int, *, raw: bool = False) -> str:
        return self.session(session_id, f"events/{seq}/payload", raw=raw)

    def expirations(self, q: str = "", **query: QueryValue) -> str:
        return self.at("/expirations", q=q, **query)

    def events(self, **query: QueryValue) -> str:
        """Return the log of the whole server."""
        return self.at("/events", **query)

    def events_export(self, **query: QueryValue) -> str:
        return self.at("/events/export", **query)

    def suggestions(self, **query: QueryValue) -> str:
        """Return what completes a word in a filter field."""
        return self.at("/suggestions", **query)

    def calls_cancellations(self, q: str = "", **query: QueryValue) -> str:
        """Return the form that cancels the calls in flight of several sessions."""
        return self.at("/calls/cancellations", q=q, **query)

    def sessions_export(self, **query: QueryValue) -> str:
        return self.at("/sessions/export", **query)

    def views(self) -> str:
        return self.at("/views")

    def view(self, view_id: str) -> str:
        return self.at(f"/views/{quote(view_id, safe='')}")

    def view_deletion(self, view_id: str) -> str:
        return f"{self.view(view_id)}/deletion"

    def jobs(self) -> str:
        return self.at("/jobs")

    def job(self, job_id: str, **query: QueryValue) -> str:
        """Return the page that shows how far an action on many sessions is."""
        return self.at(f"/jobs/{quote(job_id, safe='')}", **query)

    def job_continuation(self, job_id: str) -> str:
        """Going on with what a job did not reach."""
        return self.job(job_id).partition("?")[0] + "/continuation"

    def job_stop(self, job_id: str) -> str:
        return self.job(job_id).partition("?")[0] + "/stop"

    def clients(self) -> str:
        return self.at("/clients")

    def client(self, client_id: str, **query: QueryValue) -> str:
        return self.at(f"/clients/{quote(client_id, safe='')}", **query)

    def record(self, reference: str, tab: str, *, is_client: bool, **query: QueryValue) -> str:
        """Return where a tab of a session is shown, or the one page of a sessionless client."""
        return self.client(reference, **query) if is_client else self.session(reference, tab, **query)

    def broadcasts(self, **query: QueryValue) -> str:
        return self.at("/broadcasts", **query)

    def new_broadcast(self, **query: QueryValue) -> str:
        return self.at("/broadcasts/new", **query)

    def preview_broadcast(self) -> str:
        return self.at("/broadcasts/preview")

    def try_broadcast(self) -> str:
        return self.at("/broadcasts/trial")

    def broadcast(self, broadcast_id: str, **query: QueryValue) -> str:
        return self.at(f"/broadcasts/{quote(broadcast_id, safe='')}", **query)

    def broadcast_stop(self, broadcast_id: str) -> str:
        return self.at(f"/broadcasts/{quote(broadcast_id, safe='')}/stop")

    def groups(self) -> str:
        return self.at("/groups")

    def group(self, name: str, **query: QueryValue) -> str:
        return self.at(f"/groups/{quote(name, safe='')}", **query)

    def removal(self, group: str, session_id: str, **query: QueryValue) -> str:
        return self.at(f"/groups/{quote(group, safe='')}/members/{quote(session_id, safe='')}/removal", **query)

    def blocks(self) -> str:
        return self.at("/blocks")

    def new_block(self, **query: QueryValue) -> str:
        return self.at("/blocks/new", **query)

    def lifting(self, block_id: str) -> str:
        return self.at(f"/blocks/{quote(block_id, safe='')}/lifting")

    def close_listening(self, client_id: str) -> str:
        return self.at(f"/clients/{quote(client_id, safe='')}/listening")

    def audit(self, **query: QueryValue) -> str:
        return self.at("/audit", **query)

    def audit_export(self, **query: QueryValue) -> str:
        return self.at("/audit/export", **query)

    def action(self, action_id: str, **query: QueryValue) -> str:
        """Return the page of one entry of the audit log."""
        return self.at(f"/audit/{quote(action_id, safe='')}", **query)

    def errors(self) -> str:
        return self.at("/errors")

    def health(self) -> str:
        return self.at("/health")

    def diagnosis(self) -> str:
        return self.at("/health/diagnosis")

    def operators(self) -> str:
        return self.at("/operators")

    def operator(self, name: str, verb: str) -> str:
        return self.at(f"/operators/{quote(name, safe='@')}/{verb}")

    def tokens(self) -> str:
        return self.at("/tokens")

    def token_revocation(self, token_id: str) -> str:
        return self.at(f"/tokens/{quote(token_id, safe='')}/revocation")

    def operator_sign_in_ending(self, sign_in_id: str) -> str:
        return self.at(f"/sign-ins/{quote(sign_in_id, safe='')}/ending")

    def account(self) -> str:
        return self.at("/account")

    def own_password(self) -> str:
        return self.at("/account/password")

    def link(self, secret: str) -> str:
        """Return the address of a one-time sign-in link."""
        return self.at("/login/link", token=secret)

    def shortcuts(self) -> str:
        return self.at("/shortcuts")

    def go(self) -> str:
        return self.at("/go")

    def live(self, view: str, **query: QueryValue) -> str:
        return self.at("/live", view=view, **query)

    def sign_in(self) -> str:
        return self.at("/login")

    def sign_out(self) -> str:
        return self.at("/logout")
