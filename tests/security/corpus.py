"""Malformed requests by the thousand, generated: what is wrong with a message, with its values, with its headers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.security.honest import META, REQUESTS
from tests.security.malformed import bodies, encode, header_cases, members, messages
from tests.security.volley import Case, Headers


def corpus(
    base: Headers, *, label: str, is_modern: bool = False, with_initialize: bool = True, seed: int = 7
) -> Iterator[Case]:
    """Give every malformed request, with the headers of one kind of client.

    Args:
        base: Headers of an honest request of that client.
        label: Names the client in the cases' names.
        is_modern: Add what the 2026-07-28 era asks of headers and `_meta`, so that the bodies are looked at.
        with_initialize: Whether its messages open sessions too.
    """
    for name, message in messages(with_initialize=with_initialize):
        chosen = _as_modern(message) if is_modern else message
        yield Case(f"{label}: {name}", encode(chosen), _routed(base, chosen) if is_modern else base)
    for name, body in bodies():
        yield Case(f"{label}: {name}", body, base)
    good = encode({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    for name, headers, method in header_cases(base):
        yield Case(f"{label}: {name}", good if method == "POST" else b"", headers, method)
    yield from scrambled(base, label=label, seed=seed)


def scrambled(base: Headers, *, label: str, seed: int, number: int = 250) -> Iterator[Case]:
    """Give honest messages with bytes changed, dropped and repeated at random; the seed makes them repeatable."""
    chance = random.Random(seed)
    honest = [encode({"jsonrpc": "2.0", "id": 1, "method": m, "params": p}) for m, p in REQUESTS.items()]
    for count in range(number):
        body = bytearray(chance.choice(honest))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(body))
            match chance.randrange(3):
                case 0:
                    body[place] = chance.randrange(256)
                case 1:
                    del body[place : place + chance.randint(1, 5)]
                case _:
                    body[place:place] = body[place : place + chance.randint(1, 30)]
        yield Case(f"{label}: scrambled {seed}/{count}", bytes(body), base)


def _as_modern(message: object) -> object:
    """Return a message with the `_meta` that its era asks for, wherever it has room for one."""
    params: object = members(message).get("params", {})
    if not (_is_object(message) and _is_object(params)):
        return message
    meta: object = members(params).get("_meta", {})
    completed = {**META, **members(meta)} if _is_object(meta) else meta
    return {**members(message), "params": {**members(params), "_meta": completed}}


def _routed(base: Headers, message: object) -> Headers:
    """Return headers that say what the body says, where a header can."""
    said = members(message)
    params = members(said.get("params"))
    named = {"mcp-method": said.get("method"), "mcp-name": params.get("name") or params.get("uri")}
    fits = [
        (name, value)
        for name, value in named.items()
        if isinstance(value, str) and value.isascii() and value.isprintable() and value.strip()
    ]
    return (*base, *fits)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
