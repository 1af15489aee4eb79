"""Loading the server that `switchroom serve TARGET` names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer

from ...server.attach import McpServer
from ...server.errors import StartupError
from ...server.foreign import is_fastmcp
from ...server.tools import bundled_server

_USUAL_NAMES = ("mcp", "server", "app")


def load_target(target: str | None) -> McpServer:
    """Return the server object of `file.py:object` or `module:object`; the bundled one without a target.

    Without an object name the usual ones are tried: `mcp`, `server`, `app`.

    Raises:
        StartupError: In one sentence, what is wrong and what to write instead.
    """
    if target is None:
        return bundled_server()
    where, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    module = _load_module(where, target)
    found = _find_object(module, name, target)
    if is_server(found):
        return found
    raise StartupError(f"{target} is a {type(found).__name__}: name an MCPServer, a FastMCP or a low-level Server.")


def is_server(found: object) -> bool:
    """Whether Switchroom can attach to an object."""
    return isinstance(found, MCPServer | Server) or is_fastmcp(found)


def _load_module(where: str, target: str) -> ModuleType:
    try:
        if where.endswith(".py"):
            return _load_file(Path(where))
        sys.path.insert(0, "")
        return importlib.import_module(where)
    except StartupError:
        raise
    except ModuleNotFoundError as error:
        raise StartupError(f"{target} cannot be loaded: there is no module {error.name!r} here.") from error
    except Exception as error:
        raise StartupError(f"{target} cannot be loaded: {type(error).__name__}: {error}") from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise StartupError(f"There is no file {path}: name one that exists, as in server.py:mcp.")
    # The file's own folder comes first, as when Python runs it.
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise StartupError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _find_object(module: ModuleType, name: str, target: str) -> Any:
    if name:
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise StartupError(f"{target} has no object {name!r}: name the variable that holds your server.")
        return found
    for usual in _USUAL_NAMES:
        found = getattr(module, usual, None)
        if is_server(found):
            return found
    raise StartupError(f"{target} names no server: add the variable that holds it, as in {target}:mcp.")
