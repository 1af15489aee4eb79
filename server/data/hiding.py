"""Keeping out of the log what no schema can mark."""

from __future__ import annotations

from ..current import current_call


def hide(*secrets: str) -> None:
    """Mask these texts in the log of the running call: in its answer, and in every message it still sends.

    For what a tool comes to know while it runs. What it is given is marked in its signature instead, with
    `SecretStr` or `Annotated[..., Secret()]`, because the request is in the log before the tool runs.
    Outside a call, and for texts of no length, nothing happens.
    """
    current = current_call.get()
    if current is not None and current.call is not None:
        current.call.hidden.extend(secret for secret in secrets if secret)
