import base64
import datetime
import json

import pytest
from conftest import NAME, PHONE, TITLE, Link, command, order

import consignee


def test_a_courier_reads_its_bundle_and_nothing_else(vault, courier):
    vault.put_many(order(f"N-{n}") for n in range(600))
    bundle = courier.bundle(vault, "delivery", [f"N-{n}" for n in range(600)])
    assert len(bundle) == 600 and (bundle.party, bundle.role, bundle.purpose) == ("DHL", "courier", "delivery")
    assert bundle.origin.startswith("consignee/") and bundle.issued_at > 0
    read = list(bundle)
    assert [view["consignee.name"] for view in read] == [NAME] * 600
    assert len({view.alias for view in read}) == 600 and all(view.order == view.alias for view in read)
    assert [view.alias for view in bundle.results(10, 5)] == [view.alias for view in read[10:15]]
    assert len(bundle.results()) == 600 and bundle.results(600) == [] and len(bundle.results(599, 2**63 - 1)) == 1
    with pytest.raises(consignee.InputError):
        read[0]["items"]
    for text in (repr(bundle), repr(courier.keyring), repr(courier.party)):
        assert NAME not in text and read[0].alias not in text


def test_a_supplier_reads_its_own_lines(vault):
    supplier = Link(vault, "Yixing Pottery", "supplier", "Yixing")
    (view,) = supplier.bundle(vault, "fulfilment", ["SO-1"])
    (line,) = view["items"]
    assert line["title"] == TITLE and line["quantity"] == 3 and str(line["unit_price"]) == "88.00"
    with pytest.raises(consignee.InputError):
        view["consignee.phone"]
    assert supplier.keyring.role == "supplier" and "items" in supplier.keyring.parts


def test_each_order_of_a_share_has_its_result(vault, courier):
    shared = vault.share("DHL", "delivery", ["SO-1", "nowhere"], valid=datetime.timedelta(hours=1))
    assert isinstance(shared.orders[0], consignee.SharedOrder) and isinstance(shared.orders[1], consignee.NotFound)
    assert shared.expires is not None
    bundle = courier.party.read(courier.keyring, base64.b64encode(shared.bundle))
    assert bundle.expires_at == shared.expires
    assert vault.share("DHL", "delivery", ["nowhere"]).bundle is None
    for wrong in (0, -1, True, "1 h", datetime.timedelta(0)):
        with pytest.raises(ValueError):
            vault.share("DHL", "delivery", ["SO-1"], valid=wrong)


def test_altered_and_foreign_bundles_are_refused(vault, courier):
    sealed = vault.share("DHL", "delivery", ["SO-1"]).bundle
    other = Link(vault, "UPS", "courier")
    with pytest.raises(consignee.CannotOpen):
        other.party.read(other.keyring, sealed)
    for at in range(0, len(sealed), 61):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(consignee.Error):
            courier.party.read(courier.keyring, bytes(altered))
    for cut in (0, 1, 100, len(sealed) - 1):
        with pytest.raises(consignee.Error):
            courier.party.read(courier.keyring, sealed[:cut])


def test_trust_needs_the_fingerprint_that_was_compared(vault):
    party = consignee.Party.generate("x25519")
    with pytest.raises(consignee.CannotOpen, match="fingerprint"):
        party.trust(vault.card(), party.fingerprint)
    party.trust(vault.card(), consignee.card_fingerprint(vault.card()).lower() + " ")
    assert party.trusted() == [vault.card()]
    again = consignee.Party.from_bytes
    assert party.distrust(vault.card()) and not party.distrust(vault.card())
    with pytest.raises(consignee.InputError):
        consignee.card_fingerprint("x")
    with pytest.raises(consignee.Damaged):
        again(b"x")
    with pytest.raises(ValueError):
        consignee.Party.generate("rsa")


def test_a_key_in_a_file_and_one_that_is_kept_elsewhere(vault, tmp_path):
    path = tmp_path / "courier.key"
    made = consignee.Party.generate()
    made.write_key(path)
    with pytest.raises(consignee.Exists):
        made.write_key(path)
    party = consignee.Party.open(path)
    assert party.public_key == made.public_key and party.fingerprint == made.fingerprint
    vault.add_party("GLS", "courier", public_key=party.public_key)
    party.trust(vault.card(), consignee.card_fingerprint(vault.card()))
    party.save()
    keyring, bundle = vault.issue_keyring("GLS"), vault.share("GLS", "delivery", ["SO-1"]).bundle
    (view,) = consignee.read(path, keyring, bundle)
    assert view["consignee.phone"] == PHONE
    (tmp_path / "shop.keyring").write_bytes(keyring)
    (tmp_path / "today.bundle").write_bytes(bundle)
    (view,) = consignee.read(str(path), tmp_path / "shop.keyring", str(tmp_path / "today.bundle"))
    assert view["consignee.phone"] == PHONE
    # What is wrong with the bundle is told, also where the pins cannot be written.
    path.with_name("courier.key.trust.new").mkdir()
    with pytest.raises(consignee.StorageError):
        consignee.read(path, keyring, bundle)
    with pytest.raises(consignee.CannotOpen):
        consignee.read(path, keyring, bundle[:-1] + bytes([bundle[-1] ^ 1]))
    path.with_name("courier.key.trust.new").rmdir()
    elsewhere = consignee.Party.from_bytes(path.read_bytes(), pins=consignee.Party.open(path).pins())
    assert elsewhere.trusted() == [vault.card()]
    locked = tmp_path / "locked.key"
    with pytest.raises(consignee.RootKeyError):
        made.write_key(locked, passphrase="short")
    made.write_key(locked, passphrase="correct horse")
    with pytest.raises(consignee.CannotOpen):
        consignee.Party.open(locked)
    assert consignee.Party.open(locked, passphrase="correct horse").fingerprint == made.fingerprint


def test_a_request_is_signed_and_taken_once(vault, courier):
    alias = vault.share("DHL", "delivery", ["SO-1"]).orders[0].alias
    request = courier.party.request(vault.card(), "delivery", [alias])
    answer = vault.share_request(request, valid=3600)
    assert [view.alias for view in courier.party.read(courier.keyring, answer.bundle)] == [alias]
    with pytest.raises(consignee.Exists):
        vault.share_request(request)
    with pytest.raises(ValueError):
        courier.party.request(vault.card(), "delivery", ["SO-1"])


def test_files_of_the_command_lines(tmp_path):
    command("party", "keygen", "-o", "courier.key", cwd=tmp_path)
    command("init", cwd=tmp_path)
    command("party", "add", "SF Express", "--role", "courier", "--key", "courier.key.pub", cwd=tmp_path)
    command("put", "-", cwd=tmp_path, given=json.dumps(order("SO-1")) + "\n")
    command("vault", "card", "-o", "shop.card", cwd=tmp_path)
    card = (tmp_path / "shop.card").read_text()
    command("party", "trust", "--key", "courier.key", "shop.card", "--fingerprint", consignee.card_fingerprint(card), cwd=tmp_path)
    command("keyring", "issue", "--party", "SF Express", "-o", "shop.keyring", cwd=tmp_path)
    command("share", "--party", "SF Express", "--purpose", "delivery", "SO-1", "-o", "today.bundle", cwd=tmp_path)
    (view,) = consignee.read(tmp_path / "courier.key", tmp_path / "shop.keyring", tmp_path / "today.bundle")
    assert view["consignee.name"] == NAME
