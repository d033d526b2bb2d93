"""A program that mypy reads strictly."""

from typing import Union

import consignee


def names(vault: consignee.Vault, numbers: "list[str]") -> "list[str]":
    found: "list[str]" = []
    for seen in vault.open_many("SF Express", "delivery", numbers):
        if isinstance(seen, consignee.Error):
            print(seen.kind, seen.status)
        else:
            name: str = seen["consignee.name"]
            found.append(name)
    return found


def pick(bundle: consignee.Bundle) -> int:
    return sum(len(view["items"]) for view in bundle)


def stored(results: "list[Union[consignee.Put, consignee.Error]]") -> int:
    return sum(isinstance(result, consignee.Put) and result.stored for result in results)


def when(vault: consignee.Vault) -> bytes:
    shared: consignee.Shared = vault.share("DHL", "delivery", ["SO-1"], valid=60)
    return shared.bundle or b""
