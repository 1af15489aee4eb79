"""The guide's tools, one after another, as `switchroom serve` without a target has them.

>>> stateful_tool(message="hello")
Processed 'hello' in persistent session ... (message #1)
>>> stateless_tool(data="hello")
Processed 'hello' in fresh session
>>> logged_operation(action="tidy up")
Action 'tidy up' completed successfully
>>> set_session_data(key="colour", value="green")
Stored colour = green (version 1)
>>> get_session_data(key="colour")
colour = green (stored at ...)
>>> list_session_keys()
Session ... keys: ['colour', 'stateful_tool.messages']
>>> get_session_data(key="size")
No data found for key 'size' in current session
>>> managed_tool(data="hello")
Processed 'hello' (request #...) in session ..., last activity ...
>>> join_coordination()
Joined coordination as session ... in group default: 0 other members, 0 of them are told
>>> ben.join_coordination()
Joined coordination as session ... in group default: 1 other members, ...
>>> broadcast_to_sessions(message="lunch?")
Broadcasted 'lunch?' to 1 other sessions...
>>> secure_operation(action="restart")
Error: Session not authenticated. Call secure_login first.
>>> secure_login(username="ana", password="correct horse battery")
Authenticated as ana
>>> secure_operation(action="restart")
Executed secure action: restart
>>> logout()
Logged out successfully
>>> store_sensitive_data(key="card", value="4111 1111")
Securely stored data for key: card
>>> retrieve_sensitive_data(key="card")
Retrieved: 4111 1111
>>> ben.retrieve_sensitive_data(key="card")
No data found for key: card
>>> forget_sensitive_data(key="card")
Forgot data for key: card
>>> create_managed_resource(resource_type="file")
Created file resource for session ...: file-1.txt
>>> create_managed_resource(resource_type="socket")
Error: Unknown resource type: 'socket'. Known is: file.
>>> robust_session_tool(data="")
Error: There is nothing to process: give data that is not empty.
>>> robust_session_tool(data="abc")
Processed 3 characters (#1 in session ...)
>>> leave_coordination()
Session ... left group default: ...
"""

from __future__ import annotations

from pydantic import SecretStr

from switchroom.server import Settings, Switchroom, UserVerifier, attach
from switchroom.server.tools import bundled_server

mcp = bundled_server()


def build(settings: Settings, verifier: UserVerifier | None = None) -> Switchroom:
    """Attach with a key ring that goes with the process, for the sensitive data."""
    with_keys = settings.model_copy(update={"secret_keys": SecretStr("temporary")})
    return attach(mcp, settings=with_keys, verifier=verifier)
