"""What honest clients of both eras send: the ground that malformed requests are made from."""

from __future__ import annotations

from typing import Any, Final

ACCEPT: Final = ("accept", "application/json, text/event-stream")
JSON_BODY: Final = ("content-type", "application/json")
MODERN: Final = "2026-07-28"
HANDSHAKE: Final = "2025-11-25"

REQUESTS: Final[dict[str, dict[str, Any]]] = {
    "initialize": {
        "protocolVersion": HANDSHAKE,
        "capabilities": {},
        "clientInfo": {"name": "corpus", "version": "1.0"},
    },
    "ping": {},
    "tools/list": {"cursor": "x"},
    "tools/call": {"name": "echo", "arguments": {"text": "x"}, "_meta": {"progressToken": 1}},
    "resources/list": {"cursor": "x"},
    "resources/templates/list": {"cursor": "x"},
    "resources/read": {"uri": "switchroom://announcements"},
    "resources/subscribe": {"uri": "a://b"},
    "resources/unsubscribe": {"uri": "a://b"},
    "prompts/list": {"cursor": "x"},
    "prompts/get": {"name": "x", "arguments": {}},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}},
    "logging/setLevel": {"level": "info"},
    "server/discover": {},
    "subscriptions/listen": {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["a://b"]}},
    "no/such/method": {"a": 1},
}

NOTIFICATIONS: Final[dict[str, dict[str, Any]]] = {
    "notifications/initialized": {},
    "notifications/cancelled": {"requestId": 1, "reason": "x"},
    "notifications/progress": {"progressToken": "x", "progress": 1, "total": 2, "message": "m"},
    "notifications/roots/list_changed": {},
    "notifications/no_such": {},
}


META: Final = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "corpus", "version": "1.0"},
}
