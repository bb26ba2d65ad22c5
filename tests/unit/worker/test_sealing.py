"""Payloads open only with their key and in their place; pseudonyms are keyed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sealing import CannotOpen, Sealer

OLD, NEW, PSEUDONYMS = (bytes([n]) * 32 for n in (1, 2, 3))


def test_what_is_sealed_opens_again_after_the_key_rotated() -> None:
    """A payload of the old key opens while the old key is still given; new ones use the new key."""
    before = Sealer({"old": OLD}, "old", PSEUDONYMS)
    after = Sealer({"old": OLD, "new": NEW}, "new", PSEUDONYMS)
    sealed = before.seal([["email", "kari@example.no"]], b"batch")
    assert after.open(sealed, "old", b"batch") == [["email", "kari@example.no"]]
    assert after.current == "new"


def test_a_missing_key_says_which() -> None:
    """Without its key a payload does not open, and the error names the key to add."""
    sealed = Sealer({"old": OLD}, "old", PSEUDONYMS).seal(1, b"batch")
    with pytest.raises(CannotOpen, match="'old' is missing"):
        Sealer({"new": NEW}, "new", PSEUDONYMS).open(sealed, "old", b"batch")


@given(position=st.integers(0, 40), bit=st.integers(0, 7))
def test_an_altered_payload_does_not_open(position: int, bit: int) -> None:
    """One bit changed anywhere in a payload is noticed."""
    sealer = Sealer({"k": OLD}, "k", PSEUDONYMS)
    sealed = bytearray(sealer.seal("somebody", b"batch"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(CannotOpen):
        sealer.open(bytes(sealed), "k", b"batch")


def test_a_payload_moved_to_another_place_does_not_open() -> None:
    """A payload copied into another command's row is refused."""
    sealer = Sealer({"k": OLD}, "k", PSEUDONYMS)
    with pytest.raises(CannotOpen):
        sealer.open(sealer.seal("keys", b"command\0crm"), "k", b"command\0billing")


def test_nothing_of_the_content_is_readable() -> None:
    """The sealed bytes hold neither the identifier nor anything that repeats."""
    sealer = Sealer({"k": OLD}, "k", PSEUDONYMS)
    one, two = (sealer.seal("kari@example.no", b"batch") for _ in range(2))
    assert b"kari" not in one
    assert one != two


def test_a_pseudonym_is_an_hmac_of_kind_and_value() -> None:
    """Upstream can compute the same pseudonym from the documented recipe."""
    sealer = Sealer({"k": OLD}, "k", PSEUDONYMS)
    expected = hmac.new(PSEUDONYMS, b"email\0kari@example.no", hashlib.sha256).digest()
    assert sealer.pseudonym("email", "kari@example.no") == expected
    assert sealer.pseudonym("phone", "kari@example.no") != expected


@given(
    key=st.binary(min_size=32, max_size=32),
    kind=st.text(),
    values=st.lists(st.binary(max_size=200)),
)
def test_many_pseudonyms_are_the_standard_library_s(
    key: bytes, kind: str, values: list[bytes]
) -> None:
    """Made many at once they are what HMAC says, whatever the key, the kind and the values are."""
    expected = [hmac.digest(key, kind.encode() + b"\0" + value, "sha256") for value in values]
    assert Sealer({"k": OLD}, "k", key).pseudonyms(kind, values) == expected


@pytest.mark.parametrize("keys", [{"k": b"short"}, {"other": OLD}])
def test_keys_that_cannot_work_are_refused(keys: dict[str, bytes]) -> None:
    """A short key, or a current key that is not given, is an error at the start."""
    with pytest.raises(ValueError, match="key"):
        Sealer(keys, "k", PSEUDONYMS)


def test_no_key_is_shown() -> None:
    """The repr of a sealer names the current key's id and shows no key."""
    assert repr(Sealer({"k": OLD}, "k", PSEUDONYMS)) == "Sealer(current='k')"
