import copy
import datetime
import decimal
import json
import pickle
import subprocess
import sys
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
    for wrong in ({"note": object()}, {"note": {1, 2}}, {"placed_at": datetime.datetime(2026, 11, 11)}, {"note": "\ud83d"}):
        with pytest.raises(consignee.InputError) as told:
            vault.put(order("SO-2", **wrong))
        assert PHONE not in repr(told.value) and told.value.__cause__ is None


def test_a_decimal_with_an_exponent_is_the_amount_that_it_is(vault):
    vault.put(order("SO-2", amount=consignee.Money(decimal.Decimal("1E+3"), "CNY")))
    seen = vault.open("clerk", "accounting", "SO-2")
    assert str(seen["amount"]) == "1000 CNY"
    small = consignee.Money(decimal.Decimal("0.0000001"), "CNY")
    assert "E" in str(small.amount) and str(small) == "0.0000001 CNY"
    assert vault.update("SO-2", seen.revision, {"amount": small}) == 2
    assert vault.open("clerk", "accounting", "SO-2")["amount"] == small
    for none in ("1E+999999999", "1E-999999999", "NaN", "Infinity"):
        with pytest.raises(consignee.InputError):
            vault.put(order("SO-3", amount=consignee.Money(decimal.Decimal(none), "CNY")))


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
    for call in (lambda: vault.put_many("{}"), lambda: vault.open_many("SF Express", "delivery", "N-1")):
        with pytest.raises(TypeError):
            call()
    for call in (lambda: vault.open_iter("x", "y", "N-1"), lambda: vault.share("x", "y", "N-1")):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError):
        vault.open_iter("x", "y", [], batch=0)


def test_an_order_that_is_none_leaves_the_others_be(vault):
    wrong = [order("W-1", note="\ud83d"), order("W-2", note={1}), b"\xff", "\ud83d", "[]"]
    results = vault.put_many([order("N-1"), *wrong, order("N-2")])
    assert [type(result).__name__ for result in results] == ["Put", *["InputError"] * 5, "Put"]
    for result in results[1:6]:
        assert PHONE not in repr(result) + repr(result.args) + repr(result.__dict__) and "W-" not in str(result)


def test_what_an_iterable_gave_before_it_failed_is_stored_and_opened(vault):
    def failing(items):
        yield from items
        raise OSError("the file is gone")

    with pytest.raises(OSError):
        vault.put_many(failing(order(f"N-{n}") for n in range(1200)))
    assert all(not put.stored for put in vault.put_many(order(f"N-{n}") for n in range(1200)))
    entries = vault.ledger_state().size
    opening = vault.open_iter("SF Express", "delivery", failing(f"N-{n}" for n in range(250)))
    seen = []
    with pytest.raises(OSError):
        for view in opening:
            seen.append(view.order)
    assert seen == [f"N-{n}" for n in range(250)] and vault.ledger_state().size == entries + 250
    assert list(opening) == []


def test_each_batch_is_entered_when_its_first_order_is_asked_for_and_ends_with_the_vaults_lock(vault):
    vault.put_many(order(f"N-{n}") for n in range(30))
    entries = vault.ledger_state().size
    opening = vault.open_iter("SF Express", "delivery", (f"N-{n}" for n in range(30)), batch=10)
    assert vault.ledger_state().size == entries
    next(opening)
    assert vault.ledger_state().size == entries + 10
    vault.lock()
    with pytest.raises(consignee.Locked):
        next(opening)


def test_a_batch_that_fails_as_a_whole_is_tried_again(tmp_path):
    command("init", cwd=tmp_path)
    command("party", "add", "SF Express", "--role", "courier", cwd=tmp_path)
    numbers = [f"N-{n}" for n in range(12)]
    command("put", "-", cwd=tmp_path, given="".join(json.dumps(order(number)) + "\n" for number in numbers))
    with consignee.Vault.unlock(tmp_path / "shop.vault", key_file=tmp_path / "shop.key") as vault:
        opening = vault.open_iter("SF Express", "delivery", iter(numbers), batch=5)
        seen = [next(opening).order]
        # Another process: one's own locks do not keep one out.
        script = "import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None); held.execute('BEGIN IMMEDIATE'); print(flush=True); input()"
        held = subprocess.Popen(
            [sys.executable, "-c", script, tmp_path / "shop.vault/ledger.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        held.stdout.readline()
        with pytest.raises(consignee.Error):
            for view in opening:
                seen.append(view.order)
        held.communicate(b"\n")
        assert seen + [view.order for view in opening] == numbers


def test_no_exception_holds_what_was_handed_in(vault):
    for call in (
        lambda: vault.open("agent 17", "after_sale", "SO-\ud800"),
        lambda: vault.find("agent 17", "after_sale", "consignee.phone", PHONE + "\ud800"),
        lambda: vault.who_saw("SO-\ud800"),
        lambda: vault.open("SF Express", "delivery", "SO-1")["\ud800"],
    ):
        with pytest.raises(consignee.InputError) as told:
            call()
        assert PHONE not in repr(told.value.args) and "SO-" not in repr(told.value.args)


def test_a_time_keeps_its_text_when_it_is_copied(vault):
    at = vault.open("clerk", "accounting", "SO-1")["placed_at"]
    for same in (copy.copy(at), copy.deepcopy(at), pickle.loads(pickle.dumps(at))):
        assert same == at and same.text == "2026-11-11T20:14:05+08:00" and same.tzinfo == at.tzinfo
    later = at + datetime.timedelta(days=1)
    assert later.text == "2026-11-12T20:14:05+08:00"


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
    with pytest.raises(consignee.Locked, match="unlock"):
        vault.put(order("SO-2"))
    vault.lock()
    assert "locked" in repr(vault)


def test_threads_that_lock_and_use_one_vault_do_not_wait_for_each_other_for_ever():
    program = """
import sys, threading, consignee
sys.setswitchinterval(1e-6)
vault = consignee.Vault.in_memory()
def use():
    for _ in range(3000):
        try:
            vault.card()
        except consignee.Locked:
            pass
def lock():
    for _ in range(3000):
        vault.lock()
threads = [threading.Thread(target=work) for work in (use, lock, use, lock)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    # A process of its own, for one that waits for ever has to be ended.
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


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
