"""`@robust`: a tool that fails with a code, and leaves the stored keys as they were when it fails.

@mcp.tool()
@robust
async def check_out(data: Data) -> str:
    raise ToolFailure("card_declined", "The card was declined. Try another one.")
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError

from ..current import current_call
from ..ids import new_reference
from .telling import ToolFailure, told
from .unit import Unit, current_unit

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def robust(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make a tool all or nothing, with coded errors. Put it below `@mcp.tool()`.

    What the tool changes through `SessionData` is kept when it returns, in one transaction, and not at
    all when it raises, is cancelled or its session ends. Reads, and the keeping, are tried again while
    the store is unavailable. Other effects (a mail that was sent) are the tool's own to undo.

    Errors keep their code for the client: Switchroom's own, `ToolFailure`'s, `timeout`; `tool_error` for
    a plain `ToolError`. Anything else is a fault of the tool: the client gets `internal` with a
    reference, the server's log the rest under the same one.
    """

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        current = current_call.get()
        if current is None:
            raise ToolError("A robust tool needs Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
        unit = Unit(current.engine.store.keys)
        token = current_unit.set(unit)
        try:
            with told():
                result = await tool(*args, **kwargs)
                await unit.commit()
                return result
        except (ToolError, MCPError):
            raise
        except TimeoutError as error:
            raise ToolFailure("timeout", str(error) or "The tool took too long. Try again.", retry_after=1) from error
        except Exception as error:
            reference = new_reference()
            logger.exception("robust tool failed, reference %s", reference)
            message = f"The tool failed, and changed nothing it keeps. Tell the operator this reference: {reference}."
            raise ToolFailure("internal", message) from error
        finally:
            current_unit.reset(token)

    return wrapped
