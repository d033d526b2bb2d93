"""Order records that each role opens only in part, with every opening in a tamper-evident ledger.

A supplier's picker, on its own machine, reads what the shop sent it::

    import consignee

    for order in consignee.read("supplier.key", "shop.keyring", "today.bundle"):
        for line in order["items"]:
            print(order.alias, line["title"], line["quantity"])

A shop's service opens orders in a vault, each opening entered before it is seen::

    with consignee.Vault.unlock("shop.vault", key_file="shop.key") as vault:
        seen = vault.open("agent 17", "after_sale", "SO-1001")

docs/python.md has the tour, threads and forks.
"""

from __future__ import annotations

import contextlib
import os
from typing import Union

from . import _native
from ._errors import (
    Absent,
    CannotOpen,
    Conflict,
    Damaged,
    Error,
    Exists,
    Expired,
    InputError,
    LimitExceeded,
    Locked,
    NewerFormat,
    NotFound,
    NotPermitted,
    PolicyMismatch,
    Revoked,
    RolledBack,
    RootKeyError,
    Shredded,
    StorageError,
)
from ._native import Bundle, Keyring, Party, Vault, View, __version__, card_fingerprint, verify_published
from ._values import Address, Hit, Hits, LedgerState, Money, Put, Shared, SharedOrder, Timestamp

# A child of a preforked pool must not draw what its parent draws.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_native.after_fork)

_Source = Union[str, "os.PathLike[str]", bytes]


def _content(source: _Source) -> bytes:
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    with open(source, "rb") as file:
        return file.read()


def read(
    key_file: Union[str, "os.PathLike[str]"], keyring: _Source, bundle: _Source, *, passphrase: Union[str, None] = None
) -> Bundle:
    """Reads a bundle on the party's own machine: the three-line way.

    The party must trust the shop's vault already (``consignee party trust``, or :meth:`Party.trust`). What it has seen
    is written beside the key, so that an older keyring or a clock that was set back is not taken later.

    Args:
        key_file: path of the party's private key.
        keyring: path or content of the keyring that the shop sent.
        bundle: path or content of the bundle.
        passphrase: of a locked key.

    Raises:
        Error: what :meth:`Party.open`, :meth:`Party.keyring` and :meth:`Party.read` raise.
        OSError: for a keyring or bundle that cannot be read.
    """
    keyring, bundle = _content(keyring), _content(bundle)
    party = Party.open(key_file, passphrase=passphrase)
    keys = party.keyring(keyring)
    try:
        read = party.read(keys, bundle)
    except Error:
        # The time that was seen counts, also where the bundle is refused; that it cannot be kept is not what is wrong then.
        with contextlib.suppress(Error):
            party.save()
        raise
    party.save()
    return read


__all__ = [
    "Absent",
    "Address",
    "Bundle",
    "CannotOpen",
    "Conflict",
    "Damaged",
    "Error",
    "Exists",
    "Expired",
    "Hit",
    "Hits",
    "InputError",
    "Keyring",
    "LedgerState",
    "LimitExceeded",
    "Locked",
    "Money",
    "NewerFormat",
    "NotFound",
    "NotPermitted",
    "Party",
    "PolicyMismatch",
    "Put",
    "Revoked",
    "RolledBack",
    "RootKeyError",
    "Shared",
    "SharedOrder",
    "Shredded",
    "StorageError",
    "Timestamp",
    "Vault",
    "View",
    "__version__",
    "card_fingerprint",
    "read",
    "verify_published",
]
