"""Sealed texts: they open where they belong and nowhere else, and errors say nothing."""

from __future__ import annotations

import base64

import pytest

from switchroom.server.errors import CannotOpen, StartupError, Unsupported
from switchroom.server.sealing import KeyRing, make_key, value_about

ABOUT = value_about("SESSION000001", "token")


def ring(*ids: str) -> KeyRing:
    return KeyRing.of(",".join(map(make_key, ids)))


def failure(keys: KeyRing, token: str, *about: str) -> str:
    with pytest.raises(CannotOpen) as error:
        keys.open(token, *about)
    return error.value.message


@pytest.mark.parametrize("text", ["", "hunter2", '"\\u00fc"', "ü\ud800\0", "x" * 1_000_000])
def test_a_sealed_text_opens_again(text: str) -> None:
    keys = ring("k1")
    token = keys.seal(text, *ABOUT)
    assert token.startswith("v1.k1.") and (len(text) < 5 or text not in token)
    assert keys.open(token, *ABOUT) == text


def test_the_same_text_is_sealed_differently_every_time() -> None:
    keys = ring("k1")
    assert len({keys.seal("x", *ABOUT) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "about",
    [
        ("kv", "SESSION000002", "token"),
        ("kv", "SESSION000001", "other"),
        ("event", "SESSION000001", "token"),
        ("kv", "SESSION000001token", ""),
        ("kv", "SESSION000001"),
        (),
    ],
)
def test_a_token_copied_to_another_place_does_not_open(about: tuple[str, ...]) -> None:
    keys = ring("k1")
    assert failure(keys, keys.seal("hunter2", *ABOUT), *about)


def test_whatever_is_wrong_the_error_is_the_same() -> None:
    keys, stranger = ring("k1"), ring("k1")
    token = keys.seal("hunter2", *ABOUT)
    body = token.rpartition(".")[2]
    flipped = body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1]
    broken = [
        stranger.seal("hunter2", *ABOUT),
        ring("k2").seal("hunter2", *ABOUT),
        f"v1.k1.{flipped}",
        f"v2.k1.{body}",
        token[:20],
        "v1.k1.",
        "v1.k1.?!",
        "v1.k1",
        "",
        "\0" * 100,
        token + "ä",
    ]
    assert {failure(keys, each, *ABOUT) for each in broken} == {"This secret cannot be opened here."}


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = make_key("k1"), make_key("k2")
    before, both = KeyRing.of(old), KeyRing.of(f"{new}, {old}")
    token = before.seal("hunter2", *ABOUT)
    assert both.open(token, *ABOUT) == "hunter2"
    assert both.seal("x", *ABOUT).split(".")[1] == both.newest == "k2"
    assert both.ids == ["k2", "k1"]
    assert failure(KeyRing.of(new), token, *ABOUT)


def test_without_keys_values_are_refused_and_answers_are_sealed_for_this_process_alone() -> None:
    keys = KeyRing.of(None)
    with pytest.raises(Unsupported, match="switchroom keys new"):
        keys.check_keeps_values()
    assert keys.open(keys.seal("x", *ABOUT), *ABOUT) == "x"
    assert failure(KeyRing.of(None), keys.seal("x", *ABOUT), *ABOUT)
    assert not keys.is_lasting
    KeyRing.of("temporary").check_keeps_values()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("c2VjcmV0", "Key 1 of SWITCHROOM_SECRET_KEYS has no id"),
        ("k1:c2VjcmV0", "Key 1 of SWITCHROOM_SECRET_KEYS is not 32 bytes"),
        ("k1:!!!!", "is not 32 bytes"),
        (f"k1:{base64.b64encode(bytes(16)).decode()}", "is not 32 bytes"),
        (f"k 1:{base64.b64encode(bytes(32)).decode()}", "A key's id has 1 to 32 letters"),
        (f"memory:{base64.b64encode(bytes(32)).decode()}", "A key's id has 1 to 32 letters"),
        (
            f"k1:{base64.b64encode(bytes(32)).decode()},k1:{base64.b64encode(b'1' * 32).decode()}",
            "names two keys alike",
        ),
        (f"k1:{base64.b64encode(bytes(32)).decode()},", "Key 2 of SWITCHROOM_SECRET_KEYS has no id"),
    ],
)
def test_a_malformed_setting_stops_with_a_sentence_that_shows_no_key(setting: str, sentence: str) -> None:
    with pytest.raises(StartupError, match=sentence) as error:
        KeyRing.of(setting)
    assert not any(len(part) > 6 and part in error.value.message for part in setting.replace(",", ":").split(":"))
