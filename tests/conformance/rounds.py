"""The tools that answer `input_required` before they are done (2026-07-28)."""

from __future__ import annotations

import mcp_types as types

from tests.conformance.content import Call, ToolOutcome, form, question, required, result, text


class RoundTools:
    """Tools that ask by answering; a client comes back with the inputs and with the state it was given."""

    async def test_input_required_result_elicitation(self, call: Call) -> ToolOutcome:
        """Ask for a name."""
        filled = call.filled("user_name")
        if filled is None:
            return required(user_name=form("What is your name?", "name"))
        return result(text(f"Hello, {filled['name']}!"))

    async def test_input_required_result_sampling(self, call: Call) -> ToolOutcome:
        """Ask the client's model."""
        answer = call.inputs.get("capital_question")
        if not isinstance(answer, types.CreateMessageResult | types.CreateMessageResultWithTools):
            return required(capital_question=question("What is the capital of France?"))
        return result(text(f"The model {answer.model} answered."))

    async def test_input_required_result_list_roots(self, call: Call) -> ToolOutcome:
        """Ask for the client's roots."""
        answer = call.inputs.get("client_roots")
        if not isinstance(answer, types.ListRootsResult):
            return required(client_roots=types.ListRootsRequest())
        return result(text(", ".join(str(root.uri) for root in answer.roots)))

    async def test_input_required_result_request_state(self, call: Call) -> ToolOutcome:
        """Ask for a confirmation, and for the state that was given with the question."""
        if call.filled("confirm") is None or call.state != "asked":
            return required("asked", confirm=form("Please confirm", "ok"))
        return result(text("Confirmed: state-ok."))

    async def test_input_required_result_tampered_state(self, call: Call) -> ToolOutcome:
        """Ask for a confirmation; a state that somebody has changed never gets here."""
        return await self.test_input_required_result_request_state(call)

    async def test_input_required_result_multiple_inputs(self, call: Call) -> ToolOutcome:
        """Ask three things at once."""
        if not {"user_name", "greeting", "client_roots"} <= call.inputs.keys():
            return required(
                "asked",
                user_name=form("What is your name?", "name"),
                greeting=question("Generate a greeting", 50),
                client_roots=types.ListRootsRequest(),
            )
        return result(text("All three were answered."))

    async def test_input_required_result_multi_round(self, call: Call) -> ToolOutcome:
        """Ask twice, one after the other."""
        if call.state == "second" and call.filled("step2") is not None:
            return result(text("Both steps were answered."))
        if call.state == "first" and call.filled("step1") is not None:
            return required("second", step2=form("Step 2: What is your favorite color?", "color"))
        return required("first", step1=form("Step 1: What is your name?", "name"))

    async def test_input_required_result_capabilities(self, call: Call) -> ToolOutcome:
        """Ask only what the client has declared that it can answer."""
        declared = call.ctx.session.client_capabilities or types.ClientCapabilities()
        asked: dict[str, types.InputRequest] = {}
        if declared.elicitation is not None:
            asked["user_name"] = form("What is your name?", "name")
        if declared.sampling is not None:
            asked["greeting"] = question("Generate a greeting", 50)
        if call.inputs or not asked:
            return result(text("Nothing more to ask."))
        return required(None, **asked)
