"""Everything that the API's own description allows, and much that it does not. No answer is a 5xx."""

from __future__ import annotations

import string
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.security.operators import SAME_ORIGIN
from tests.security.tally import Tally
from tests.support.processes import Served

PER_OPERATION = 8
FUZZ = settings(
    max_examples=PER_OPERATION,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ],
)

LONG = "/live"
"""An answer without an end is left to the tests of streams."""


def calls(document: Any) -> list[Any]:
    """Return the operations of an OpenAPI document that schemathesis reads."""
    schema: Any = schemathesis.openapi.from_dict(document)
    return [each.ok() for each in schema.get_all_operations() if not each.ok().path.endswith(LONG)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_schemathesis_finds_no_server_error(plain: Served, tally: Tally, mode: str) -> None:
    headers = {"Authorization": f"Bearer {plain.token('admin')}"}
    with httpx2.Client(base_url=plain.base, headers=headers, timeout=15) as client:
        document = client.get("/api/openapi.json").json()
        operations = calls(document)
        assert len(operations) > 25
        for operation in operations:
            strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
            faults = fuzz(client, strategy, tally)
            tally.judge(faults)


def fuzz(client: httpx2.Client, strategy: Any, tally: Tally) -> list[str]:
    """Send what a strategy makes and return what was answered with a 5xx."""
    faults: list[str] = []

    @FUZZ
    @given(case=strategy)
    def send(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=str(client.base_url))
        kept = {name: sent[name] for name in ("json", "data", "params") if sent.get(name) is not None}
        try:
            answer = client.request(sent["method"], sent["url"], **kept)
        except (httpx2.InvalidURL, httpx2.LocalProtocolError, ValueError, TypeError):
            return  # not a request that HTTP can carry
        if answer.status_code >= 500:
            faults.append(f"{sent['method']} {sent['url'][:200]} {kept!r:.300}: {answer.status_code}")
        elif answer.status_code >= 400:
            tally.refuse()
        else:
            tally.serve()

    send()
    return faults


ANYTHING = st.text(st.characters(blacklist_categories=()), max_size=60)
FILTERS = st.lists(
    st.one_of(ANYTHING, st.sampled_from(["state:", "idle:>", "-", '"', "version:>=", "errors:", "q:", ",", "(", "*"])),
    max_size=6,
).map("".join)


@pytest.mark.parametrize("path", ["/sessions", "/events", "/audit", "/in-flight"])
def test_no_filter_or_cursor_is_a_server_error(plain: Served, tally: Tally, path: str) -> None:
    headers = {"Authorization": f"Bearer {plain.token('viewer')}"}
    with httpx2.Client(base_url=f"{plain.base}/api/v1", headers=headers, timeout=15) as client:
        faults: list[str] = []

        @settings(FUZZ, max_examples=60)
        @given(q=FILTERS, cursor=ANYTHING, limit=ANYTHING)
        def ask(q: str, cursor: str, limit: str) -> None:
            for params in ({"q": q}, {"cursor": cursor}, {"limit": limit}, {"after": cursor}):
                sent = {name: value.encode("utf-8", "surrogatepass") for name, value in params.items()}
                answer = client.get(f"{path}?{encoded(sent)}")
                if answer.status_code >= 500:
                    faults.append(f"{params!r}: {answer.status_code}")
                elif answer.status_code >= 400:
                    tally.refuse()
                else:
                    tally.serve()

        ask()
        tally.judge(faults)


def encoded(params: dict[str, bytes]) -> str:
    return "&".join(f"{name}={''.join(f'%{byte:02x}' for byte in value)}" for name, value in params.items())


COOKIES = st.text(string.printable.replace("\r", "").replace("\n", ""), max_size=200)


def test_no_cookie_form_or_upload_is_a_server_error(plain: Served, tally: Tally) -> None:
    with httpx2.Client(base_url=plain.base, headers=SAME_ORIGIN, timeout=15) as client:
        faults: list[str] = []

        @settings(FUZZ, max_examples=80)
        @given(cookie=COOKIES, body=st.binary(max_size=300), boundary=st.sampled_from(["x", "", "--", '"x"', "x" * 80]))
        def send(cookie: str, body: bytes, boundary: str) -> None:
            printable = "".join(each for each in cookie if each.isprintable())
            multipart = f"multipart/form-data; boundary={boundary}"
            part = f'--{boundary}\r\ncontent-disposition: form-data; name="token"\r\n\r\n'.encode()
            requests = (
                ("GET", "/admin/", b"", {"cookie": f"switchroom={printable}"}),
                ("GET", "/admin/", b"", {"cookie": printable}),
                ("POST", "/admin/login/link", body, {"content-type": "application/x-www-form-urlencoded"}),
                ("POST", "/admin/login/link", body, {"content-type": multipart}),
                ("POST", "/admin/login/link", part + body, {"content-type": multipart}),
            )
            for method, path, content, headers in requests:
                answer = client.request(
                    method, path, content=content, headers={k: v.strip() for k, v in headers.items()}
                )
                if answer.status_code >= 500:
                    faults.append(f"{method} {path} {headers} {content[:100]!r}: {answer.status_code}")
                else:
                    tally.refuse()

        send()
        tally.judge(faults)
