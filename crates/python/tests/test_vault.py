import datetime
import decimal
import json
import pickle
import threading
import time

import pytest
from conftest import NAME, PHONE, STREET, TITLE, Link, command, order

import consignee


def test_each_role_sees_its_parts_as_python_has_them(vault):
    seen = vault.open("SF Express", "delivery", "SO-1")
    assert seen["consignee.name"] == NAME
    assert seen["consignee.address"] == consignee.Address((STREET,), "南京", "", "", "CN")
    assert str(seen["consignee.address"]) == f"{STREET}, 南京, CN"
    assert set(seen) == set(seen.keys()) == {"consignee.name", "consignee.phone", "consignee.address"}
    assert len(seen) == 3 and "items" not in seen and "consignee.name" in seen and 7 not in seen
    assert dict(seen.items()) == dict(zip(seen.keys(), seen.values())) == {name: seen[name] for name in seen}
    assert (seen.order, seen.party, seen.role, seen.purpose) == ("SO-1", "SF Express", "courier", "delivery")
    assert seen.revision == 1 and seen.ledger == 1 and seen.ledger_index > 0 and len(seen.alias) == 16
    assert json.loads(seen.to_json())["fields"]["consignee.phone"] == PHONE
    with pytest.raises(consignee.NotPermitted):
        seen["items"]
    with pytest.raises(consignee.NotPermitted):
        seen.get("items")
    with pytest.raises(consignee.InputError):
        seen["planet"]
    for text in (repr(seen), str(seen)):
        assert NAME not in text and seen.alias not in text and "consignee.name" in text

    money = vault.open("clerk", "accounting", "SO-1")
    assert money["amount"] == consignee.Money(decimal.Decimal("272.50"), "CNY")
    assert str(money["amount"]) == "272.50 CNY"
    at = money["placed_at"]
    assert at == datetime.datetime(2026, 11, 11, 12, 14, 5, tzinfo=datetime.timezone.utc)
    assert at.utcoffset() == datetime.timedelta(hours=8) and at.text == "2026-11-11T20:14:05+08:00"


def test_what_is_put_as_python_values_is_what_is_put_as_json(vault):
    placed = datetime.datetime(2026, 11, 11, 20, 14, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    address = consignee.Address((STREET,), "南京", "", "", "CN")
    python = order("SO-1", placed_at=placed, amount=consignee.Money(decimal.Decimal("272.50"), "CNY"))
    python["consignee"] = {"name": NAME, "phone": PHONE, "address": address}
    python["items"][0]["unit_price"] = decimal.Decimal("88.00")
    assert not vault.put(python).stored
    assert not vault.put(json.dumps(order("SO-1"))).stored
    assert not vault.put(json.dumps(order("SO-1")).encode()).stored
    with pytest.raises(TypeError):
        vault.put(order("SO-2", note=object()))
    with pytest.raises(TypeError):
        vault.put(order("SO-2", placed_at=datetime.datetime(2026, 11, 11)))


def test_many_orders_come_from_any_iterable_and_each_has_its_result(vault):
    numbers = [f"N-{n}" for n in range(2500)]
    given = (order(number) if number != "N-7" else {"order_no": "N-7"} for number in numbers)
    results = vault.put_many(given)
    assert len(results) == 2500
    assert isinstance(results[7], consignee.InputError) and results[7].field == "placed_at"
    assert sum(isinstance(result, consignee.Put) and result.stored for result in results) == 2499
    seen = list(vault.open_iter("SF Express", "delivery", (number for number in numbers)))
    assert len(seen) == 2500 and isinstance(seen[7], consignee.NotFound)
    assert all(view["consignee.name"] == NAME for at, view in enumerate(seen) if at != 7)
    some = vault.open_many("SF Express", "delivery", ["N-1", "N-7"])
    assert some[0].order == "N-1" and isinstance(some[1], consignee.NotFound)
    assert list(vault.open_iter("SF Express", "delivery", [])) == [] and vault.put_many([]) == []


def test_find_update_who_saw_close_and_shred(vault):
    hits = vault.find("agent 17", "after_sale", "consignee.phone", "138 1234 5678")
    assert len(hits) == 1 and hits.unreadable == 0 and hits[0].revision == 1
    seen = vault.open("agent 17", "after_sale", hits[0].alias)
    assert vault.update("SO-1", seen.revision, {"note": "ring twice"}) == 2
    with pytest.raises(consignee.Conflict):
        vault.update("SO-1", 1, {"note": "ring"})
    assert vault.update("SO-1", 2, {"note": None}) == 3
    told = vault.who_saw("SO-1")
    assert [entry["party"] for entry in told["entries"] if entry["disclosure"]] == ["agent 17", "agent 17"]
    assert told["summary"]["disclosures"] == 2
    vault.close_order("SO-1")
    state = vault.ledger_state()
    assert state.ledger == 1 and state.size > 5 and len(state.root) == 32
    vault.shred("SO-1", "asked for")
    with pytest.raises(consignee.Shredded):
        vault.open("agent 17", "after_sale", "SO-1")
    with pytest.raises(consignee.Shredded):
        vault.shred("SO-1", "again", with_evidence=True)


def test_every_kind_of_error_has_its_exception():
    kinds = dict(consignee._native.error_kinds())
    classes = {cls.kind: cls for cls in consignee.Error.__subclasses__()}
    assert {name: cls.status for name, cls in classes.items()} == kinds
    assert all(getattr(consignee, cls.__name__) is cls and cls.__name__ in consignee.__all__ for cls in classes.values())
    wrong = consignee.InputError("x", 3, "y")
    again = pickle.loads(pickle.dumps(wrong))
    assert (str(again), again.line, again.field) == ("x", 3, "y") and isinstance(again, ValueError)


def test_errors_say_what_to_do_and_tell_no_content(vault):
    with pytest.raises(consignee.InputError) as told:
        vault.put(order("SO-9", amount={"value": "SECRET", "currency": "CNY"}))
    assert told.value.field == "amount.value" and "SECRET" not in str(told.value) and "SO-9" not in str(told.value)
    with pytest.raises(consignee.NotPermitted, match="delivery"):
        vault.open("SF Express", "accounting", "SO-1")
    with pytest.raises(ValueError):
        consignee.Vault.unlock("nowhere")
    with pytest.raises(ValueError):
        consignee.Vault.unlock("nowhere", key_file="x", passphrase="y")
    with pytest.raises(consignee.RootKeyError):
        consignee.Vault.unlock("nowhere", key_file="x")
    with pytest.raises(ValueError):
        consignee.Vault.unlock("nowhere", root_key=b"short")


def test_a_vault_that_is_locked_is_used_no_more(vault):
    with vault as same:
        assert same is vault
    with pytest.raises(ValueError, match="unlock"):
        vault.put(order("SO-2"))
    vault.lock()
    assert "locked" in repr(vault)


def test_other_threads_run_while_orders_are_sealed(vault):
    orders = [json.dumps(order(f"N-{n}")) for n in range(4000)]
    counted, done = 0, threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0)

    counter = threading.Thread(target=count)
    counter.start()
    before = counted
    vault.put_many(orders)
    during = counted - before
    done.set()
    counter.join()
    # Were the lock held for a whole batch, it could count once or twice in between.
    assert during > 100, during


def test_eight_threads_share_a_vault_and_a_party(vault, courier):
    failures = []

    def work(own):
        try:
            for n in range(10):
                number = f"T-{own}-{n}"
                vault.put(order(number))
                assert vault.open("SF Express", "delivery", number)["consignee.name"] == NAME
                assert [view["consignee.phone"] for view in courier.bundle(vault, "delivery", [number, "SO-1"])] == [PHONE] * 2
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(own,)) for own in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures


def test_a_vault_of_the_command_lines_and_its_published_ledger(tmp_path):
    command("init", cwd=tmp_path)
    command("party", "add", "SF Express", "--role", "courier", cwd=tmp_path)
    command("put", "-", cwd=tmp_path, given=json.dumps(order("SO-1")) + "\n")
    command("vault", "card", "-o", "shop.card", cwd=tmp_path)
    command("ledger", "checkpoint", "shop.vault", "-o", "kept", cwd=tmp_path)
    with consignee.Vault.unlock(tmp_path / "shop.vault", key_file=tmp_path / "shop.key", checkpoint=tmp_path / "kept") as vault:
        assert vault.open("SF Express", "delivery", "SO-1")["consignee.name"] == NAME
    command("ledger", "publish", "shop.vault", "published", cwd=tmp_path)
    card = (tmp_path / "shop.card").read_text()
    (ledger,) = consignee.verify_published(tmp_path / "published", card)
    assert ledger["ledger"] == 1 and ledger["entries_verified"]
    kept = (tmp_path / "published/public/checkpoint").read_bytes()
    assert consignee.verify_published(tmp_path / "published", card, checkpoint=kept) == [ledger]
    with pytest.raises(consignee.NotFound):
        consignee.verify_published(tmp_path, card)


def test_a_policy_of_the_shops_own():
    policy = """
format = 1
[fields]
order_no = { id = 1, type = "text" }
"""
    with pytest.raises(consignee.Error):
        consignee.Vault.in_memory(policy)
