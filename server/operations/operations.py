"""`Operations`: the one door through which pages, API, command line and tools act."""

from __future__ import annotations

from collections.abc import Mapping

from ..accounts import Accounts
from ..directory.directory import Directory
from ..engine.engine import Engine
from ..models import Actor
from .accounts import AccountVerbs
from .actions import Actions, Resolver
from .blocks import BlockVerbs
from .broadcasts import BroadcastVerbs
from .bulk import BulkRunner
from .carrying import Carrier
from .clients import ClientVerbs
from .deliveries import Deliveries
from .dispatching import Dispatcher
from .groups import GroupVerbs
from .holdings import HoldingVerbs
from .keys import KeyVerbs
from .replays import ReplayVerbs
from .sending import Postman
from .sessions import SessionVerbs
from .timeouts import TimeoutVerbs
from .unfinished import UnfinishedJobs


class Operations:
    """The operator's verbs. Each one authorises, acts, and leaves its intent and outcome in the audit log."""

    def __init__(self, engine: Engine, directory: Directory) -> None:
        actions = Actions(engine.store.audit)
        self.deliveries = Deliveries()
        self.bulk = BulkRunner(engine, actions)
        sessions = SessionVerbs(engine, directory, actions, self.bulk)
        self.unfinished = UnfinishedJobs(engine, self.bulk, sessions)
        keys = KeyVerbs(engine, actions)
        self.postman = Postman(engine, self.deliveries)
        self.dispatcher = Dispatcher(engine, directory, self.postman)
        broadcasts = BroadcastVerbs(engine, directory, actions, self.postman, self.dispatcher)
        groups = GroupVerbs(engine, directory, actions, self.postman, self.dispatcher)
        self._actions = actions
        holdings = HoldingVerbs(engine, actions)
        self.end_sign_in = holdings.end_sign_in
        clients = ClientVerbs(engine, actions)
        blocks = BlockVerbs(engine, directory, actions, sessions, clients)
        self.block = blocks.block
        self.lift_block = blocks.lift_block
        self.close_listen_streams = clients.close_listen_streams
        self.close_resource = holdings.close_resource
        self.expire = sessions.expire
        self.start_expiring = sessions.start_expiring
        self.start_cancelling = sessions.start_cancelling
        self.cancel = sessions.cancel
        self.close_stream = sessions.close_stream
        self.set_timeouts = TimeoutVerbs(engine, actions).set_timeouts
        replays = ReplayVerbs(engine, actions, self.deliveries)
        self.replay = replays.replay
        self.plan_replay = replays.plan
        self.broadcast = broadcasts.broadcast
        self.reach = broadcasts.reach
        self.stop_broadcast = broadcasts.stop_broadcast
        self.set_key = keys.set_key
        self.delete_key = keys.delete_key
        self.set_key_ttl = keys.set_key_ttl
        self.reveal_key = keys.reveal_key
        self.rotate_keys = keys.rotate_keys
        self.remove_member = groups.remove_member
        engine.groups.post = groups
        engine.on_written = self.deliveries.written
        engine.on_tick.append(self.deliveries.expire)

    async def note_access(
        self, actor: Actor, action: str, target: str, outcome: str, detail: dict[str, object]
    ) -> None:
        """Record a sign-in, a token's making or a refusal: something that is its own outcome."""
        await self._actions.note(actor, action, target, outcome, detail)

    def resolve_with(self, resolver: Resolver | None) -> None:
        """Ask an application whether an actor may do something, after their role has allowed it."""
        self._actions.resolver = resolver

    def on_accounts(self, accounts: Accounts) -> AccountVerbs:
        """Return the verbs on the accounts of a console; they are in the same audit log."""
        return AccountVerbs(accounts, self._actions)

    async def carry_notes(self, accounts: Accounts) -> None:
        """Bring what the command line does to the accounts into the audit log, until cancelled."""
        await Carrier(accounts, self._actions).run()

    def action_counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many actions there were since the start, by name and outcome."""
        return self._actions.counts

    def count_refusal(self, action: str) -> None:
        """Count a refusal that gets no audit row of its own any more."""
        self._actions.counts[action, "refused"] += 1
