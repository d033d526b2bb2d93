"""A shop in memory, and one whose files the command line made."""

import os
import subprocess

import pytest

import consignee

NAME, PHONE, STREET, TITLE = "王小明", "13812345678", "中山路 1 号", "Canary-Teapot"


def order(number: str, **changes: object) -> dict:
    return {
        "order_no": number,
        "placed_at": "2026-11-11T20:14:05+08:00",
        "consignee": {
            "name": NAME,
            "phone": PHONE,
            "address": {"lines": [STREET], "city": "南京", "country": "CN"},
        },
        "items": [
            {"sku": "T-1", "title": TITLE, "quantity": 3, "unit_price": "88.00", "supplier": "Yixing"},
            {"sku": "T-2", "title": "Cup", "quantity": 1, "unit_price": "8.50", "supplier": "Jing"},
        ],
        "amount": {"value": "272.50", "currency": "CNY"},
        **changes,
    }


class Link:
    """A party that trusts the vault, with its keyring."""

    def __init__(self, vault: consignee.Vault, name: str, role: str, lines: "str | None" = None) -> None:
        self.party = consignee.Party.generate("x25519")
        self.name = name
        vault.add_party(name, role, lines=lines, public_key=self.party.public_key)
        self.party.trust(vault.card(), consignee.card_fingerprint(vault.card()))
        self.keyring = self.party.keyring(vault.issue_keyring(name))

    def bundle(self, vault: consignee.Vault, purpose: str, numbers: "list[str]") -> consignee.Bundle:
        shared = vault.share(self.name, purpose, numbers)
        assert shared.bundle is not None
        return self.party.read(self.keyring, shared.bundle)


@pytest.fixture
def vault() -> consignee.Vault:
    vault = consignee.Vault.in_memory()
    for name, role in [("SF Express", "courier"), ("agent 17", "support"), ("clerk", "finance")]:
        vault.add_party(name, role)
    assert vault.put(order("SO-1")).stored
    return vault


@pytest.fixture
def courier(vault: consignee.Vault) -> Link:
    return Link(vault, "DHL", "courier")


def command(*arguments: str, cwd: object, given: "str | None" = None) -> str:
    environment = {**os.environ, "CONSIGNEE_VAULT": "shop.vault", "CONSIGNEE_KEY_FILE": "shop.key"}
    done = subprocess.run(
        [os.environ["CONSIGNEE"], *arguments], cwd=cwd, env=environment, input=given, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
