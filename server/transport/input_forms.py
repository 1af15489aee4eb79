"""What the forms of the 2026-07-28 era mark as secret.

A form is asked for in one answer (`input_required`) and filled in with the client's next request (2026-07-28, client,
elicitation), so what it marks is remembered in between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableSequence
from typing import Any, Final, cast

from ..engine.calls import call_target
from ..marks import KEYWORD, Mask, marks_of
from .masking import mask_of_form

_MEMBER: Final = "inputResponses"
_MAX_KNOWN: Final = 10_000
"""Forms are told apart by method, tool and key; beyond it the one that was asked for longest ago is forgotten."""

_Name = tuple[str, str | None, str]


class InputForms:
    """The forms that one server has asked its clients to fill in."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Name, Mask | None] = OrderedDict()
        whole = marks_of({KEYWORD: True}, None)
        self._whole = whole.arguments if whole is not None else None

    def learn(self, method: str, params: Mapping[str, Any] | None, result: Mapping[str, Any]) -> None:
        """Remember what an answer asks for."""
        asked = result.get("inputRequests")
        if result.get("resultType") != "input_required" or not isinstance(asked, Mapping):
            return
        for key, request in cast("Mapping[str, Any]", asked).items():
            name = (method, call_target(method, params), key)
            self._known[name] = mask_of_form(str(request.get("method")), request.get("params"))
            self._known.move_to_end(name)
            if len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)

    def masked(self, method: str, params: Mapping[str, Any], hidden: MutableSequence[str]) -> Mapping[str, Any]:
        """Return a request's params for the log, and add to `hidden` what its forms mark, for what follows.

        Of a form that nobody remembers, as after a restart, everything counts as secret.
        """
        filled = params.get(_MEMBER)
        if not isinstance(filled, dict) or not filled:
            return params
        target = call_target(method, params)
        kept = {
            key: self._masked_one(self._known.get((method, target, key), self._whole), response, hidden)
            for key, response in cast("dict[str, object]", filled).items()
        }
        return {**params, _MEMBER: kept}

    @staticmethod
    def _masked_one(mask: Mask | None, response: object, hidden: MutableSequence[str]) -> object:
        if mask is None or not isinstance(response, dict):
            return response
        given = cast("dict[str, Any]", response)
        return {**given, "content": mask.apply(given["content"], hidden)} if "content" in given else given
