"""The prompts of the suite's server scenarios, made as the tools are: a prompt is a public method."""

from __future__ import annotations

import mcp_types as types

from tests.conformance.content import IMAGE, Call, embedded, form, required, text

PromptOutcome = types.GetPromptResult | types.InputRequiredResult
"""What a prompt answers: its messages, or what it needs first."""

ARGUMENTS = {
    "test_prompt_with_arguments": {"arg1": "First test argument", "arg2": "Second test argument"},
    "test_prompt_with_embedded_resource": {"resourceUri": "URI of the resource to embed"},
}
"""Each prompt's arguments, all of them required, and what they mean."""


def messages(*content: types.ContentBlock) -> types.GetPromptResult:
    """Return what the user says with these contents."""
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=block) for block in content])


class Prompts:
    """The prompts."""

    async def test_simple_prompt(self, call: Call) -> PromptOutcome:
        """Say one thing."""
        return messages(text("This is a simple prompt for testing."))

    async def test_prompt_with_arguments(self, call: Call) -> PromptOutcome:
        """Say what the arguments are."""
        first, second = call.arguments["arg1"], call.arguments["arg2"]
        return messages(text(f"Prompt with arguments: arg1='{first}', arg2='{second}'"))

    async def test_prompt_with_embedded_resource(self, call: Call) -> PromptOutcome:
        """Show a resource."""
        resource = embedded(str(call.arguments["resourceUri"]), "text/plain", "Embedded resource content for testing.")
        return messages(resource, text("Please process the embedded resource above."))

    async def test_prompt_with_image(self, call: Call) -> PromptOutcome:
        """Show an image."""
        return messages(IMAGE, text("Please analyze the image above."))

    async def test_input_required_result_prompt(self, call: Call) -> PromptOutcome:
        """Ask for the context first."""
        filled = call.filled("user_context")
        if filled is None:
            return required(user_context=form("What context should the prompt use?", "context"))
        return messages(text(f"Use this context: {filled['context']}"))
