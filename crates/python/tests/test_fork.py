"""Forks, by os.fork: a preforked pool never repeats a byte."""

import os
import threading

import pytest
from conftest import NAME, Link, order

import consignee

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are of POSIX systems")


def in_child(work) -> bytes:
    """What `work` returns in a forked child."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(ours)
            with os.fdopen(theirs, "wb") as out:
                out.write(work())
            status = 0
        finally:
            os._exit(status)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        answer = told.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return answer


def draws() -> "list[bytes]":
    """Keys, requests and record ids: from the operating system, and from a generator of the thread."""
    vault = consignee.Vault.in_memory()
    party = consignee.Party.generate("x25519")
    lines = [party.public_key.strip().encode()]
    vault.add_party("x", "courier", public_key=party.public_key)
    party.trust(vault.card(), consignee.card_fingerprint(vault.card()))
    lines += [put.record_id.encode() for put in vault.put_many(order(f"N-{n}") for n in range(200))]
    shared = vault.share("x", "delivery", [f"N-{n}" for n in range(5)])
    lines += [shared.bundle.hex().encode()]
    request = party.request(vault.card(), "delivery", [shared.orders[0].alias])
    return [*lines, request.hex().encode()]


def test_a_preforked_pool_never_repeats_a_byte():
    draws()  # so that this thread's generator is seeded
    drawn = [in_child(lambda: b"\n".join(draws())).split(b"\n") for _ in range(4)] + [draws()]
    lines = [line for some in drawn for line in some]
    assert len(lines) == 5 * 203 and len(set(lines)) == len(lines)
    # Nor a piece of one: 16 bytes of any bundle stand in no other.
    bundles = [bytes.fromhex(some[-2].decode()) for some in drawn]
    pieces = [{bundle[at : at + 16] for at in range(200, len(bundle) - 16)} for bundle in bundles]
    for at, own in enumerate(pieces):
        assert not any(own & other for other in pieces[at + 1 :])


def test_a_vault_of_the_parent_is_locked_in_the_child_and_the_parents_goes_on(vault):
    def child() -> bytes:
        try:
            vault.open("SF Express", "delivery", "SO-1")
        except consignee.Locked as e:
            return str(e).encode()
        return b"opened"

    told = in_child(child).decode()
    assert "fork" in told, told
    assert vault.open("SF Express", "delivery", "SO-1")["consignee.name"] == NAME


def test_party_keyring_and_bundle_of_the_parent_are_read_in_the_child(vault, courier):
    sealed = vault.share("DHL", "delivery", ["SO-1"]).bundle
    bundle = courier.party.read(courier.keyring, sealed)

    def child() -> bytes:
        (first,) = bundle
        (second,) = courier.party.read(courier.keyring, sealed)
        return (first["consignee.name"] + second["consignee.name"]).encode()

    assert in_child(child).decode() == 2 * NAME


def test_an_iterator_in_use_at_the_fork_makes_no_child_wait_for_ever(vault, courier):
    vault.put_many(order(f"N-{n}") for n in range(600))
    bundle = courier.bundle(vault, "delivery", [f"N-{n}" for n in range(600)])
    done, shared = threading.Event(), [iter(bundle)]

    def walk():
        while not done.is_set():
            shared[0] = iter(bundle)
            for _ in shared[0]:
                pass

    thread = threading.Thread(target=walk)
    thread.start()

    def child() -> bytes:
        try:
            next(shared[0], None)
        except consignee.Locked:
            pass
        return b"done"

    try:
        assert all(in_child(child) == b"done" for _ in range(6))
    finally:
        done.set()
        thread.join()


def test_a_fork_while_other_threads_read_leaves_no_lock_behind(vault, courier):
    sealed = vault.share("DHL", "delivery", ["SO-1"]).bundle
    done = threading.Event()

    def read():
        while not done.is_set():
            courier.party.read(courier.keyring, sealed)

    threads = [threading.Thread(target=read) for _ in range(3)]
    [thread.start() for thread in threads]
    try:
        for _ in range(20):
            fresh = consignee.Party.generate("x25519")

            def child(fresh=fresh) -> bytes:
                return consignee.Party.generate("x25519").fingerprint.encode()

            assert in_child(child).decode() != fresh.fingerprint
    finally:
        done.set()
        [thread.join() for thread in threads]
