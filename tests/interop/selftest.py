#!/usr/bin/env python3
"""Holds reader.py against a folder of vaults that `run` made: it must say what the program printed, agree with all that the
ledger commits to, and name the right outcome for what is altered.

    python3 tests/interop/selftest.py FOLDER
"""

import copy
import dataclasses
import json
import os
import pathlib
import random
import shlex
import struct
import subprocess
import sys
import tempfile
import tomllib

import party as P
import reader as R
from cryptography.hazmat.primitives.asymmetric import ed25519

SAMPLES = pathlib.Path(__file__).resolve().parent / "samples"
TALLY, WRONG = {}, []


def check(group, fits, note=""):
    good, bad = TALLY.get(group, (0, 0))
    TALLY[group] = (good + bool(fits), bad + (not fits))
    if not fits and len(WRONG) < 40:
        WRONG.append(f"{group}: {note}")


def outcome(action, *args, **named):
    """The class of the outcome, or the result. Any other exception ends the run."""
    try:
        return action(*args, **named)
    except R.Outcome as e:
        return type(e)


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- Primitives against public vectors
def primitives():
    """XAES-256-GCM: C2SP; HChaCha20: draft-irtf-cfrg-xchacha-03, 2.2.1; FF1: samples 7 and 9 of NIST's examples."""
    key, nonce = b"\1" * 32, b"ABCDEFGHIJKLMNOPQRSTUVWX"
    sealed = bytes.fromhex("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
    check("primitives", R.unwrap(1, key, nonce + sealed, b"") == b"XAES-256-GCM")
    block = bytes.fromhex("000000090000004a0000000031415927")
    made = R.hchacha20(bytes(range(32)), block).hex()
    check("primitives", made == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
    check("primitives", R.ff1(key, b"", list(range(10)), radix=10) == [6, 6, 5, 7, 6, 6, 7, 0, 0, 9])
    tweak, plain = bytes.fromhex("3737373770717273373737"), list(range(19))
    sealed = ["0123456789abcdefghijklmnopqrstuvwxyz".index(c) for c in "xs8a0azh2avyalyzuwd"]
    check("primitives", R.ff1(key, tweak, plain, radix=36) == sealed)
    check("primitives", R.ff1(key, tweak, sealed, decrypt=True, radix=36) == plain)


def worked_values():
    """Section 13 of the page, line by line."""
    id_key, alias_key, query_key, fk, ik, os_, hk = (bytes([byte]) * 32 for byte in range(0x11, 0x88, 0x11))
    vault_id, n1, nonce, order_no = bytes(range(16)), b"\x88" * 10, bytes(24), "10248"
    record_id = R.record_id_of(id_key, order_no)
    index = R.Index(4, "CN", 10**9)
    form = R.form("138 1234-5678", index)
    vault = copy.copy(R.Vault.__new__(R.Vault))
    vault.ik = {(1, 4): ik}
    key_id = R.party_key_id(vault_id, 1)
    query = R.u16(4) + R.u8(4) + form.encode()
    order = R.H("consignee/v1/commit/order", hk, record_id, order_no.encode())
    xaes = R.AESGCM(R.xaes_kdf(fk, nonce[:12])).encrypt(nonce[12:], b"x", b"")
    xchacha = R.ChaCha20Poly1305(R.hchacha20(fk, nonce[:16])).encrypt(bytes(4) + nonce[16:], b"x", b"")
    made = {"record id of 10248": record_id}
    for suite in (1, 2):
        ticket = R.ticket_part(suite, os_, record_id, 4)
        half = R.kdf(suite, fk, n1 + R.u16(0))
        made |= {f"suite {suite}: T[4]": ticket, f"suite {suite}: A[4]": half}
        made[f"suite {suite}: DEK[4]"] = R.xor(half, ticket)
    made |= {
        'form of "138 1234-5678" by phone:CN': form,
        "search tag, expect = 10^9, so 28 bits": str(vault.search_tag(1, 4, index, form)),
        "key id of party 1": key_id,
        "handle for it": R.handle(hk, key_id),
        "query of it": R.mac(query_key, b"consignee/v1/query", key_id, query),
        "commitment os": R.H("consignee/v1/commit/os", record_id, n1, os_),
        "commitment order": order,
        "alias of party 1, serial 10248": R.make_alias(alias_key, vault_id, 1, 10248),
        "P(33), P(257), P(70000)": ", ".join(str(R.padded_length(n)) for n in (33, 257, 70000)),
        'text "A", padded': R.encode(R.Value(R.TEXT, "A")).ljust(32, b"\0"),
        "check digits of a key file of id key": R.H("consignee/v1/key-file", id_key)[:4],
        'wrap of "x" under FK, suite 1': xaes,
        'wrap of "x" under FK, suite 2': xchacha,
    }
    page = (SAMPLES.parents[2] / "docs/format.md").read_text(encoding="utf-8")
    printed = page.split("## 13. Worked values")[1].split("```")[1].strip().split("\n")
    width = max(map(len, made)) + 2
    mine = [label.ljust(width) + (value if isinstance(value, str) else value.hex()) for label, value in made.items()]
    for line, expected in zip(printed, mine, strict=True):
        check("worked values", line == expected, f"{line}\n   {expected}")
    return mine


# ---- What the program printed
def sections(path):
    """Each `# ARGUMENTS` of a file, with the lines behind it."""
    found = []
    for line in lines(path):
        if line.startswith("# "):
            found.append((shlex.split(line[2:]), []))
        else:
            found[-1][1].append(line)
    return found


def asked(path):
    """The same of what a party asked for a purpose."""
    return [(args[1], args[3], args[4:], printed) for args, printed in sections(path)]


def refused(printed):
    return next((line[2:] for line in printed if line.startswith("! ")), None)


def opened(name, vault, path, now):
    for party, purpose, orders, printed in asked(path):
        group = f"{name}: opened"
        if expected := refused(printed):
            got = outcome(vault.open_order, party, purpose, orders[0], now=now)
            check(f"{name}: refused", getattr(got, "name", got) == expected, f"{orders} of {party}: {got}")
            continue
        check(group, len(printed) == len(orders), "a line each")
        for order, line in zip(orders, printed):
            got = outcome(vault.open_order, party, purpose, order, now=now)
            stated = compact(json.loads(line))
            # JSON escapes may differ; order and spelling may not.
            check(group, isinstance(got, dict) and compact(got) == stated, f"\n   got  {got}\n   want {stated}")


def found(name, vault, path, now):
    ledger = [R.parse_entry(entry) for entry in vault.store.entries]
    for party, purpose, (sought,), printed in asked(path):
        field, text = sought.split("=", 1)
        got = outcome(vault.find, party, purpose, field, text, now=now)
        if expected := refused(printed):
            check(f"{name}: refused", getattr(got, "name", got) == expected, f"{sought}: {got}")
            continue
        stated = [json.loads(line) for line in printed]
        hits = [{key: hit[key] for key in ("alias", "revision")} for hit in stated]
        check(f"{name}: found", got == (hits, 0), f"{sought}: {got}, and not {hits}")
        f = next(f for f, known in vault.in_force.names.items() if known == field)
        known = vault.party(party)
        query = vault.query(known, f, text)
        for hit in stated:
            entry, owner = ledger[hit["ledger_index"]], vault.resolve(hit["alias"])
            row = vault.rows_of(bytes.fromhex(owner["record_id"]))[0]
            handle = R.handle(vault.secrets(row)[1], vault.ids_of(known.number)[-1])
            stands = (entry.type, entry.handle, entry.revision, entry.parts, entry.detail)
            fits = owner["issued"] and stands == (10, handle, hit["revision"], [f], query)
            check(f"{name}: entry of a hit", fits, str(hit))


def seen(name, vault, path):
    """Who saw orders."""
    numbers = {None: None, "vault": 0} | {party.name: number for number, party in vault.parties.items()}
    for (order,), printed in sections(path):
        got = outcome(vault.who_saw, order)
        if expected := refused(printed):
            check(f"{name}: refused", getattr(got, "name", got) == expected, f"who saw {order}: {got}")
            continue
        *stated, last = [json.loads(line) for line in printed]
        told = [
            (
                line["ledger"],
                line["index"],
                numbers[line["party"]],
                [part["name"] for part in line["parts"]],
                numbers[line.get("searcher")],
            )
            for line in stated
        ]
        check(f"{name}: who saw", got == told and last["entries"] == len(told) > 0, f"{order}: {got}, and not {told}")


def flatten(order):
    out = {}
    for key, value in order.items():
        if key in ("consignee", "extra"):
            out |= {f"{key}.{name}": below for name, below in value.items()}
        else:
            out[key] = value
    return out


def put_comes_back(name, vault, now):
    for line in lines(SAMPLES / "orders.jsonl") + lines(SAMPLES / "later.jsonl"):
        order = flatten(json.loads(line))
        number = order["order_no"]
        got = outcome(vault.open_order, "shop", "operation", number, now=now)
        if number in ("W-3", "W-4"):
            check(f"{name}: shredded", got is R.Shredded, str(got))
            continue
        patch = SAMPLES / f"patch-{number}.json"
        order |= json.loads(patch.read_text(encoding="utf-8")) if patch.exists() else {}
        order = {key: value for key, value in order.items() if value is not None}
        order.setdefault("note", "")
        order["consignee.address"] = {"region": "", "postal_code": ""} | order["consignee.address"]
        check(f"{name}: put comes back", isinstance(got, dict) and got["fields"] == order, f"{order}\n   {got}")


def printed_ledger(name, store, path):
    *printed, last = map(json.loads, lines(path))
    root = R.verify_head(store.entries, *store.head)
    check(f"{name}: ledger", (last["size"], last["root"]) == (len(store.entries), root.hex()), str(last))
    types = (
        "policy epoch party grant revoke rotation put update reseal search disclosure denied close shred lost".split()
    )
    for raw, stated in zip(store.entries, printed, strict=True):
        entry = R.parse_entry(raw)
        mine = {
            "type": types[entry.type - 1],
            "party_key_id": entry.party.hex(),
            "handle": entry.handle.hex() if any(entry.handle) else None,
            "purpose": entry.purpose,
            "parts": entry.parts,
            "commitments": [commitment.hex() for commitment in entry.commitments],
            "policy": entry.policy.hex(),
            "revision": entry.revision,
            "detail_bytes": entry.detail.hex(),
        }
        stated["parts"] = [part["number"] for part in stated["parts"]]
        check(f"{name}: ledger", mine == {key: stated[key] for key in mine}, str(stated))


def verified(name, vault, numbers):
    untold = []
    for what, where, fits in vault.verify(numbers):
        if isinstance(fits, bool):
            check(f"{name}: verify {what}", fits, f"{what} {where}")
        else:
            untold.append(fits)
    # Of the order that was shredded with its evidence: its put and shred, and in the first two vaults eight openings before that.
    without = untold.count(R.WITHOUT_EVIDENCE)
    expected = {"pass": 0, "rotated": 2, "resealed": 2}.get(name, 10)
    check(f"{name}: entries that nothing is left of", without == expected, str(without))


def given_out_before(name, vault, path):
    """Aliases of orders that have been shredded since: with their evidence, and without."""
    issued = []
    for _, _, _, printed in asked(path):
        issued += [vault.resolve(json.loads(line)["alias"])["issued"] for line in printed]
    check(f"{name}: aliases of shredded orders", issued == [True, None], str(issued))
    unseen = R.make_alias(vault.alias_key, vault.id, vault.party("Unnamed Ltd").number, vault.store.rows[0].serial)
    check(f"{name}: an alias never issued", vault.resolve(unseen)["issued"] is not True)


# ---- Policies
def canonical(toml):
    """Canonical bytes of a policy's text (section 7); the reader itself reads them only."""
    types = ["text", "bool", "integer", "money", "timestamp", "address", "list", "bytes", "json"]
    masks, normalisers = ["name", "phone", "city", "last4"], ["exact", "upper", "digits", "phone", "last4"]
    fields, tables = toml["field"], []
    numbers = {name: field["id"] for name, field in fields.items()}
    for name, field in fields.items():
        numbers |= {f"{name}:{facet}": it["id"] for facet, it in field.get("facets", {}).items()}

    def seconds(text):
        return int(text[:-1]) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[text[-1]] if text else 0

    def parts(names, count):
        return count(len(names)) + b"".join(R.u16(f) for f in sorted(numbers[name] for name in names))

    def by_id(named):
        return sorted(named.items(), key=lambda item: item[1]["id"])

    out = b"consignee/v1/policy" + R.u32(1) + R.u16(len(fields))
    for name, field in by_id(fields):
        facets = field.get("facets", {})
        out += R.u16(field["id"]) + R.str8(name) + R.u8(types.index(field["type"]) + 1) + R.u8(len(facets))
        for facet, it in by_id(facets):
            out += R.u16(it["id"]) + R.str8(facet) + R.u8(masks.index(it["mask"]) + 1)
        if index := field.get("index"):
            normaliser, _, country = index["normalise"].partition(":")
            out += b"\1" + R.u8(normalisers.index(normaliser) + 1) + (country.encode() or b"\0\0")
            out += R.u64(index["expect"])
        else:
            out += b"\0"
    retired = sorted(toml.get("retired", []))
    out += R.u16(len(retired)) + b"".join(map(R.u16, retired))
    for role, purposes in toml["role"].items():
        tables += [(role, purpose, table) for purpose, table in purposes.items()]
    out += R.u16(len(tables))
    for role, purpose, table in sorted(tables, key=lambda it: (it[0].encode(), it[1].encode())):
        out += R.str8(role) + R.str8(purpose) + parts(table["open"], R.u16)
        rules = sorted((numbers[name], property_) for name, property_ in table.get("lines", {}).items())
        out += R.u8(len(rules)) + b"".join(R.u16(f) + R.str8(property_) for f, property_ in rules)
        out += parts(table.get("search", []), R.u8) + R.u64(seconds(table.get("expires")))
    return out


def encode_policy(p):
    """F18: the bytes a parsed policy encodes to."""
    out = b"consignee/v1/policy" + R.u32(1) + R.u16(len(p.fields))
    for field in p.fields:
        out += R.u16(field.f) + R.str8(field.name) + R.u8(field.type) + R.u8(len(field.facets))
        for n, (name, mask) in field.facets.items():
            out += R.u16(n) + R.str8(name) + R.u8(mask)
        if index := field.index:
            out += b"\1" + R.u8(index.normaliser) + (index.country or "\0\0").encode() + R.u64(index.expect)
        else:
            out += b"\0"
    out += R.u16(len(p.retired)) + b"".join(map(R.u16, p.retired)) + R.u16(len(p.tables))
    for t in p.tables:
        out += R.str8(t.role) + R.str8(t.purpose) + R.u16(len(t.parts)) + b"".join(map(R.u16, t.parts))
        out += R.u8(len(t.lines)) + b"".join(R.u16(f) + R.str8(property_) for f, property_ in t.lines.items())
        out += R.u8(len(t.searched)) + b"".join(map(R.u16, t.searched)) + R.u64(t.expires)
    return out


def what_reaches(vault):
    """F53 over made-up later policies: what is left or added of one table for an order put under the first."""
    base = vault.policies[0][1]
    role, purpose = "support", "after_sale"

    def variant(**change):
        policy = copy.copy(base)
        policy.tables = [t._replace(**change) if (t.role, t.purpose) == (role, purpose) else t for t in base.tables]
        return policy

    def without():
        policy = copy.copy(base)
        policy.tables = [t for t in base.tables if (t.role, t.purpose) != (role, purpose)]
        return policy

    def reached(*later, put_under=0):
        return R.reach([(True, base), *later], role, purpose, put_under)

    first = R.reach_of(base.table(role, purpose))
    more = variant(parts=[4, 5, 6, 13], searched=[4])
    less = variant(parts=[13], searched=[])
    short, long = variant(expires=10), variant(expires=20)
    cut, cut_else = variant(lines={6: "supplier"}), variant(lines={6: "sku"})
    gone, rule = without(), (6, "supplier")
    for got, expected in [
        (reached(), first),
        (reached((False, more)).parts, {6, 13}),
        (reached((True, more)).parts, {4, 5, 6, 13}),
        (reached((True, less), (False, base)).parts, {13}),
        (reached((True, less), (True, base)), first),
        (reached((False, more), (True, more)).parts, {6, 13}),  # nothing beyond its predecessor
        (reached((True, gone)), None),
        (reached((True, gone), (False, base)), None),
        (reached((True, gone), (True, base)), first),
        (reached((True, gone), (False, base), (True, base)).parts, set()),
        (reached((True, gone), (False, less), (True, base)).parts, first.parts - {13}),
        (reached((True, short)).end, 10),
        (reached((True, short), (False, long)).end, 10),
        (reached((True, short), (True, long)).end, 20),
        (reached((True, short), (False, long), (True, long)).end, 10),
        (reached((False, cut)).lines, {rule}),
        (reached((False, cut), (False, base)).lines, {rule}),
        (reached((False, cut), (True, base)).lines, set()),
        (reached((False, cut), (False, cut_else)).lines, {rule, (6, "sku")}),
        (reached((False, cut), (True, cut_else)).lines, {(6, "sku")}),
        (reached((True, less), put_under=1).parts, {13}),
        (outcome(reached, put_under=1), R.Damaged),
    ]:
        check("what reaches an order (F53)", got == expected, f"{got}, and not {expected}")


# ---- Alterations
def with_store(vault, **change):
    """The vault over a store with one thing exchanged; its keys stay unlocked."""
    other = copy.copy(vault)
    other.store = dataclasses.replace(vault.store, **change)
    return other


def altered(raw, rng):
    """Each byte of a string, altered three ways: (place, new byte, old byte, string)."""
    for at, old in enumerate(raw):
        for byte in {old ^ 1, old ^ 0x80, rng.randrange(256)} - {old}:
            yield at, byte, old, raw[:at] + bytes([byte]) + raw[at + 1 :]


def expected_of_record(rec, at, byte):
    """What the sentences say of one altered byte, where the record is opened through its vault by all parts."""
    ranges = [
        (4, {R.Damaged}),  # F1
        (5, {R.Damaged if byte == 0 else R.NewerFormat}),  # F1
        (6, {R.Damaged if byte in (1, 2) else R.NewerFormat}),  # F8, F1
        (38, {R.CannotOpen}),  # F23, F9
        (42, {R.RolledBack, R.Damaged}),  # F13; F58
        (46, {R.CannotOpen}),  # F23
        (62, {R.Damaged}),  # F60
        (72, {R.RolledBack}),  # F12
        (73, {R.Damaged}),  # F22, F4
    ]
    for end, outcomes in ranges:
        if at < end:
            return outcomes
    if at >= 73 + 5 * len(rec.parts):
        return {R.CannotOpen}  # F6
    return {R.Damaged} if (at - 73) % 5 >= 2 else {R.Damaged, R.CannotOpen}  # F3, F4; F2 or F6


def alter_record(vault, order, rng):
    record_id = R.record_id_of(vault.id_key, order)
    raw = vault.store.records[record_id]
    rec = R.parse_record(raw)
    fs = list(rec.parts)

    def open_all(sealed, wanted=None):
        other = with_store(vault, records=vault.store.records | {record_id: sealed})
        rec_, _, secret, _ = other.find_record(record_id)
        return other.open_parts(rec_, secret, wanted or other.in_force.types)

    def rebuilt(parts):
        directory = b"".join(R.u16(f) + R.u32(len(sealed))[:3] for f, sealed in parts.items())
        return raw[:72] + R.u8(len(parts)) + directory + rec.n2 + b"".join(parts.values())

    for at, byte, _, changed in altered(raw, rng):
        # One of the bytes of a ciphertext in eight: they are alike.
        if at < 85 + 5 * len(fs) or at % 8 == 0:
            got = outcome(open_all, changed)
            check("record: a byte altered", got in expected_of_record(rec, at, byte), f"{order} at {at}: {got}")
    for length in range(len(raw)):
        check("record: cut", outcome(open_all, raw[:length]) is R.Damaged, f"{order} at {length}")
    for tail in (b"\0", b"x" * 16, raw):
        check("record: longer", outcome(open_all, raw + tail) is R.Damaged)
    check("record: rebuilt", outcome(open_all, rebuilt(rec.parts)) == open_all(raw))
    for a, b in ((0, 1), (2, len(fs) - 1)):
        parts = dict(rec.parts)
        parts[fs[a]], parts[fs[b]] = parts[fs[b]], parts[fs[a]]
        check("record: parts exchanged", outcome(open_all, rebuilt(parts)) is R.CannotOpen)
    for f in fs:
        parts = {other: sealed for other, sealed in rec.parts.items() if other != f}
        check("record: a part cut out (F59)", outcome(open_all, rebuilt(parts), [f]) is R.CannotOpen, str(f))
    absent = next(f for f in (22, 24, 25, 300) if f not in rec.parts) if len(fs) < 17 else None
    if absent:
        check("record: a part it does not have", outcome(open_all, raw, [absent]) == {})
    _, _, secret, _ = vault.find_record(record_id)
    key, ticket = vault.fk[rec.epoch, fs[0]], R.ticket_part(rec.suite, secret, record_id, fs[0])
    check("record: both halves", isinstance(outcome(R.open_part, rec, fs[0], key, ticket), bytes))
    for halves in ((bytes(32), ticket), (key, bytes(32)), (vault.fk[rec.epoch, fs[1]], ticket)):
        check("record: a wrong half", outcome(R.open_part, rec, fs[0], *halves) is R.CannotOpen)


def alter_rows(vault, order, other, rng):
    record_id, other_id = (R.record_id_of(vault.id_key, number) for number in (order, other))
    rest = [row for row in vault.store.rows if row.record_id != record_id]
    row = next(row for row in vault.rows_of(record_id) if row.state == R.CURRENT)
    foreign = next(row for row in vault.rows_of(other_id) if row.state == R.CURRENT)
    raw = row.to_bytes()

    def opens(*rows):
        return outcome(with_store(vault, rows=rest + list(rows)).find_record, record_id)

    check("row as bytes (F57)", R.parse_row(raw) == row and len(raw) == 192)
    ranges = [
        (4, R.Damaged),
        (22, R.NotFound),
        (36, R.RolledBack),
        (56, R.CannotOpen),
        (60, R.CannotOpen),
        (68, tuple),
        (71, R.Damaged),
        (87, tuple),
        (191, R.CannotOpen),
        (192, R.Damaged),
    ]
    for at, byte, old, changed in altered(raw, rng):
        got = outcome(lambda changed=changed: opens(R.parse_row(changed)))
        if at == 4:
            expected = R.Damaged if byte == 0 else R.NewerFormat
        elif at == 5:
            expected = {2: tuple, 3: R.RolledBack, 4: R.Shredded}.get(byte, R.Damaged)
        elif at == 69 and byte == old + 1:
            expected = R.CannotOpen  # a longer wrapped, which takes the one zero
        else:
            expected = next(expected for end, expected in ranges if at < end)
        fits = isinstance(got, tuple) if expected is tuple else got is expected
        check("row: a byte altered", fits, f"{at}: {got}")
    for length in range(len(raw)):
        check("row: cut", outcome(R.parse_row, raw[:length]) is R.Damaged)
    for tail in (b"\0", bytes(192), b"x" * 192):
        check("row: longer", outcome(R.parse_row, raw + tail) is R.Damaged)
    change = dataclasses.replace
    for got, expected in [
        (opens(change(row, wrapped=foreign.wrapped)), R.CannotOpen),
        (opens(change(foreign, record_id=record_id)), R.RolledBack),
        (opens(change(foreign, record_id=record_id, n1=row.n1, revision=row.revision)), R.CannotOpen),
        (opens(), R.NotFound),
        (opens(row, change(row, n1=bytes(10), state=R.SHREDDED)), R.Shredded),
        (opens(change(row, wrapped=b"")), R.CannotOpen),
        (opens(change(row, wrapped=b"x" * 39)), R.CannotOpen),
        (outcome(vault.secrets, change(row, state=R.SHREDDED)), R.CannotOpen),  # F27
        (vault.secrets(change(row, state=R.SHREDDED, wrapped=b"")), (None, None)),
    ]:
        check("rows exchanged", got is expected or got == expected, f"{got}, and not {expected}")
    check("a pending row opens", isinstance(opens(change(row, state=R.PENDING), change(row, n1=bytes(10))), tuple))
    records = vault.store.records
    swapped = with_store(vault, records=records | {record_id: records[other_id]})
    check("records exchanged", outcome(swapped.find_record, record_id) in (R.CannotOpen, R.RolledBack))
    left = {known: sealed for known, sealed in records.items() if known != record_id}
    check("a record missing", outcome(with_store(vault, records=left).find_record, record_id) is R.NotFound)


def sealed_anew(vault, items):
    """Tags and seal of altered items, as only the holder of the registry key can make them."""
    items = {
        place: body if place[0] in (40, 100) else body[:-32] + vault.tag(place, body[:-32])
        for place, body in items.items()
    }
    places = sorted(place for place in items if place[0] not in (40, 100))
    items[40, 0, 0] = vault.tag((40, 0, 0), b"".join(items[place][-32:] for place in places))
    return items


def wrapped_key(vault, place, key, suite, root=None, parameters=None):
    """The body of a key's item, with room for its tag."""
    nonce = bytes(range(24))
    ad = R.wrap_ad(vault.id, place, suite, parameters or vault.parameters)
    sealed = R.AESGCM(R.xaes_kdf(root or vault.root, nonce[:12])).encrypt(nonce[12:], key, ad)
    return R.u8(suite) + nonce + sealed + bytes(32)


def alter_items(vault, key_file, rng):
    items = vault.store.items

    def unlock(changed, **named):
        store = dataclasses.replace(vault.store, items=changed)
        return outcome(R.Vault, store, **(named or {"key_file": key_file}))

    for place, body in items.items():
        every = range(len(body)) if place[0] in (8, 40, 41, 100) else rng.sample(range(len(body)), 12)
        for at in every:
            byte = body[at] ^ rng.choice((1, 3, 0x80))
            got = unlock(items | {place: body[:at] + bytes([byte]) + body[at + 1 :]})
            if place[0] == 100 and at == 0 and byte in (1, 2):
                got, expected = type(got), (R.Vault,)  # F41: both layouts are read alike
            elif place[0] == 100:
                expected = (R.RootKey,) if at else (R.NewerFormat, R.Damaged)  # F41
            else:
                expected = (R.RootKey,) if place[0] == 8 and at < len(body) - 32 else (R.Damaged,)  # F39, F40
            check("items: a byte altered", got in expected, f"{place} {at} {got}")
        check("items: cut", unlock(items | {place: body[:-1]}) in (R.Damaged, R.RootKey))
        check("items: emptied", unlock(items | {place: b""}) in (R.Damaged, R.RootKey))
        left = {other: body for other, body in items.items() if other != place}
        check("items: left out", unlock(left) is R.Damaged, str(place))
    for place in ((33, 99, 0), (40, 1, 0), (100, 1, 0), (40, 0, 1)):
        check("items: added (F40)", unlock(items | {place: items[33, 1, 0]}) is R.Damaged, str(place))
    a, b = (1, 1, 1), (1, 2, 1)
    exchanged = items | {a: items[b], b: items[a]}
    other_suite = wrapped_key(vault, b, vault.fk[1, 2], 3 - items[b][0])
    newer = wrapped_key(vault, b, vault.fk[1, 2], 3)
    keyless = {place: body for place, body in items.items() if place[0] != 9}
    for changed, expected in [
        (exchanged, R.Damaged),
        (sealed_anew(vault, exchanged), R.RootKey),  # F10
        (sealed_anew(vault, items | {b: other_suite}), R.Damaged),  # F42
        (sealed_anew(vault, items | {b: newer}), R.NewerFormat),  # F73
        (sealed_anew(vault, keyless), R.Damaged),  # F73
    ]:
        check("items: exchanged", unlock(changed) is expected)
    later = sealed_anew(vault, items | {(77, 5, 0): b"of a later version" + bytes(32)})
    check("items: of another kind (F44)", isinstance(unlock(later), R.Vault))
    check("root key: another", unlock(items, root=bytes(32)) is R.RootKey)
    for bad in (
        "",
        "x",
        key_file[:-3],
        key_file.replace("consignee", "consignor"),
        key_file.replace("consignee", "CONSIGNEE"),
        key_file[:20] + ("0" if key_file[20] != "0" else "1") + key_file[21:],
        key_file + key_file,
        " " + key_file,
        key_file.strip()[:-1] + "é",
    ):
        check("root key: bad key files (F25)", unlock(items, key_file=bad) is R.RootKey, bad)
    shown = key_file[:18] + key_file[18:].upper().rstrip() + " \r\n"
    check("root key: a key file in capitals", isinstance(unlock(items, key_file=shown), R.Vault))
    announced_change(vault, key_file, unlock)


def announced_change(vault, key_file, unlock):
    """Items are taken as they are, whatever is announced (F75)."""
    items, party = vault.store.items, json.loads(vault.store.items[33, 1, 0][:-32])
    revoked = json.dumps(party | {"state": "revoked"}).encode() + bytes(32)
    after = sealed_anew(vault, items | {(33, 1, 0): revoked, (41, 0, 0): bytes(32)})
    head = b"cns1" + R.u8(5) + bytes(8) + bytes(16) + R.party_key_id(vault.id, 1) + bytes(4) + b"\0"
    entry = head + vault.in_force.digest + b"\0\0" + bytes(32) + b"\0\0"
    body = R.u64(len(vault.store.entries)) + R.lp(entry)
    written = [(33, 1, 0), (40, 0, 0), (41, 0, 0)]
    for kind, number, generation in written:
        item = after[kind, number, generation]
        body += R.u8(kind) + R.u32(number) + R.u32(generation) + R.lp(item)
    announced = sealed_anew(vault, items | {(41, 0, 0): body + bytes(32)})
    before, then = unlock(announced), unlock(after)
    check("announced change", isinstance(before, R.Vault) and before.parties[1].state == "active")
    check("announced change", before.announced()[2] == {place: after[place] for place in written})
    check("announced change", isinstance(then, R.Vault) and then.announced() is None)
    check("announced change", outcome(then.open_order, party["name"], "delivery", "W-2", now=0) is R.Revoked)
    for length in range(1, len(body)):
        whole = outcome(R.parse_announcement, body[:length])
        check("announced change: cut", whole is R.Damaged or len(whole[2]) < 3, str(length))


def alter_bytes(group, raw, parse, rng, allowed, still=lambda parsed: True):
    for at, _, _, changed in altered(raw, rng):
        got = outcome(parse, changed)
        check(f"{group}: a byte altered", got in allowed if isinstance(got, type) else still(got), f"{at} {got}")
    for length in range(len(raw)):
        check(f"{group}: cut", outcome(parse, raw[:length]) in allowed, str(length))
    check(f"{group}: longer", outcome(parse, raw + b"\0") in allowed)


def alter_values(vault, rng):
    seen = {}
    for record_id in vault.store.records:
        rec, _, secret, _ = vault.find_record(record_id)
        for value in vault.open_parts(rec, secret, vault.in_force.types).values():
            seen.setdefault(value.tag, value)
    check("values: all types", set(seen) == set(range(1, 10)), str(sorted(seen)))
    cells = [(0, None), (1, "ü"), (2, True), (3, -5), (4, (-10, 3))]
    seen["cells"] = R.Value(R.LIST, R.Table(["a", "b", "c", "", "e"], [cells, cells]))
    for value in seen.values():
        encoded = R.encode(value)
        plain = encoded.ljust(R.FIXED.get(value.tag, R.padded_length(len(encoded))), b"\0")
        check("values: round trip", R.decode_value(plain, value.tag) == value)
        alter_bytes("values", plain, R.decode_value, rng, {R.Damaged}, lambda altered_: R.encode(altered_) != encoded)
        check("values: of another type", outcome(R.decode_value, plain, value.tag % 9 + 1) is R.Damaged)
    depth = "[" * 64 + "]" * 64
    texts = ["1", '"x"', " [ ] ", '{"a":1,"a":[{}]}', "-0.5e+9", '"\\ud800"', "9" * 5000, depth]
    for text in texts:
        check("json grammar (F33)", R.is_json(text), text[:20])
    for text in '|01|1 2|[1,]|{"a"}|{1:2}|[|]|NaN|"\n"|\ufeff1|{"a":1,}|[1}|\'a\'|"\\x"|1.|.5|[,1]'.split("|"):
        check("json grammar (F33)", not R.is_json(text), text)
    check("json grammar (F33)", not R.is_json("[" + depth + "]"))
    last, first = 253402300799, -62135596800
    for content, fits in (
        ((0, 0, -32768, 0), True),
        ((0, 5, 0, 9), True),
        ((0, 5, 0, 8), False),
        ((0, 10**9, 0, 9), False),
        ((0, 0, 1440, 0), False),
        ((0, 0, -1440, 0), False),
        ((last, 0, 0, 0), True),
        ((last, 0, 1, 0), False),
        ((first, 0, -1, 0), False),
        ((first - 60, 0, 1, 0), True),
        ((0, 0, 0, 10), False),
        ((0, 0, -32767, 0), False),
    ):
        got = outcome(R.decode_value, R.u8(R.TIMESTAMP) + struct.pack("<qIhB", *content))
        check("timestamps (F30)", (got is not R.Damaged) == fits, str(content))


def normalisers(rng):
    def form(text, number, country=None):
        return R.form(text, R.Index(number, country, 8))

    for text, country, expected in [
        ("13812345678", "CN", "~+8613812345678"),
        ("+86 138 1234 5678", "CN", "~+8613812345678"),
        ("０１３８１２３４５６７８", "CN", "~+8613812345678"),
        ("0251-031259", "CN", "~+86251031259"),
        ("755 1234567", "CN", "=755 1234567"),
        ("030/123456", "DE", "~+4930123456"),
        ("555-0100", "US", "=555-0100"),
        ("(212) 555-0100 ext. 5", "US", "~+12125550100;5"),
        ("138****5678", "CN", "=138****5678"),
        ("Tel: 00 49 30 123456", "CN", "~+4930123456"),
        ("+49 (0)30 123456", "CN", "~+4930123456"),
        ("8 912 345-67-89", "RU", "~+79123456789"),
        ("001 212 5550100", "DE", "~+12125550100"),
        ("138\t1234 5678", "CN", "=138\t1234 5678"),
        ("110", "CN", "=110"),
        ("", "CN", None),
        ("转", "CN", "=转"),
        ("+", "CN", "=+"),
        ("05512345678转801", "CN", "~+865512345678;801"),
    ]:
        check("normalisers: phone", form(text, 4, country) == expected, f"{text} {country}: {form(text, 4, country)}")
    for text, number, expected in [
        (" a\u00a0 ß é ", 2, "~A ß É"),
        ("ÿőςάΐ", 2, "~ŸŐΣΆΐ"),
        ("12-34", 3, "~1234"),
        ("1²", 3, "=1²"),
        ("abc", 3, "=abc"),
        ("ab-12", 5, "~AB12"),
        ("a*b12", 5, "=a*b12"),
        ("x", 1, "=x"),
        ("   ", 2, "=   "),
        ("123", 5, "=123"),
    ]:
        check("normalisers: others", form(text, number) == expected, f"{text!r} {number}: {form(text, number)!r}")
    pool = "+0123456789 ()-./#x：＋０*转分机ext\u00ad\u2010٣۴~=\t十ſ\U0001f4de"
    for _ in range(5000):
        text = "".join(rng.choice(pool) for _ in range(rng.randrange(1, 18)))
        got = form(text, rng.randrange(1, 6), rng.choice(sorted(R.COUNTRIES)))
        check("normalisers: random texts", got == "=" + text or got[0] == "~", text)


def aliases(vault, rng):
    def read(text):
        return outcome(R.read_alias, vault.alias_key, vault.id, text)

    for _ in range(40):
        number, serial = rng.randrange(1 << 18), rng.randrange(1 << 36)
        alias = R.make_alias(vault.alias_key, vault.id, number, serial)
        typed = alias.lower().replace("-", "").replace("0", "o").replace("1", "l")
        check("alias: as typed", read(typed) == (number, serial))
        plain = alias.replace("-", "")
        for at in range(len(plain)):
            for c in set("0IU*é\u0130\u212a " + rng.choice(R.CROCKFORD)) - {plain[at]}:
                if plain[at] + c != "1I":
                    got = read(plain[:at] + c + plain[at + 1 :])
                    check("alias: a character altered", got is R.InputError, f"{alias} {at} {c!r}: {got}")
        for at in range(12):
            if plain[at] != plain[at + 1]:
                got = read(plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :])
                check("alias: neighbours exchanged", got is R.InputError)
    made_up = 0
    for _ in range(200):
        numerals = [rng.randrange(32) for _ in range(12)]
        text = "".join(R.CROCKFORD[n] for n in [*numerals, R.check_numeral(numerals)])
        made_up += read(text) is R.NotFound
    check("alias: made up", made_up > 150, str(made_up))
    for number, serial in ((99, 0), (1, 1 << 30), (0, vault.store.rows[0].serial)):
        alias = R.make_alias(vault.alias_key, vault.id, number, serial)
        check("alias: never given out (F46)", outcome(vault.resolve, alias) is R.NotFound)


def passphrases(store, passphrase):
    check("passphrase: another", outcome(R.Vault, store, passphrase=passphrase + " ") is R.RootKey)
    check("passphrase: a key file", outcome(R.Vault, store, "x") is R.RootKey)
    body = store.items[100, 0, 0]
    for memory, passes, lanes in (
        (19_455, 2, 1),
        (4_194_305, 2, 1),
        (19_456, 1, 1),
        (19_456, 17, 1),
        (19_456, 2, 0),
        (19_456, 2, 17),
        (2**32 - 1,) * 3,
    ):
        item = body[:34] + struct.pack("<3I", memory, passes, lanes)
        changed = dataclasses.replace(store, items=store.items | {(100, 0, 0): item})
        check("passphrase: bounds (F11)", outcome(R.Vault, changed, passphrase=passphrase) is R.RootKey)
    for item in (body[:-1], body + b"\0", body[:17], body[:17] + b"\7" + body[18:]):
        changed = dataclasses.replace(store, items=store.items | {(100, 0, 0): item})
        check("passphrase: parameters", outcome(R.Vault, changed, passphrase=passphrase) is R.RootKey)


# ---- What parties are sent
PASSPHRASE = "a passphrase of the party"


class Sent:
    """A party's files, of a vault that is here, too."""

    def __init__(self, folder, name, vault):
        self.name, self.vault = name, vault
        self.key_file = folder / f"{name}.key"
        key = self.key_file.read_text(encoding="ascii")
        locked = key.startswith(P.LOCKED.prefix)
        self.passphrase = PASSPHRASE if locked else None
        self.key = P.read_private(key, self.passphrase)
        self.public = P.read_public((folder / f"{name}.key.pub").read_text(encoding="ascii"))
        self.card_file = folder / "shop.card"
        self.card = P.read_card(self.card_file.read_text(encoding="ascii"))
        self.keyring, self.bundle = ((folder / f"{name}.{file}").read_bytes() for file in ("keyring", "bundle"))
        self.printed = lines(folder / f"{name}.read")

    def holder(self):
        return P.Holder(self.key, [self.card])

    def read(self, keyring, bundle, clock):
        """Lines of JSON, and the outcomes of orders that do not open; or the outcome of the whole."""
        holder = self.holder()
        try:
            orders = list(holder.read(holder.keyring(keyring, clock), bundle, clock))
        except R.Outcome as e:
            return type(e)
        good = [compact(order) for order in orders if not isinstance(order, R.Outcome)]
        return good, [type(order) for order in orders if isinstance(order, R.Outcome)]

    def by_the_program(self, keyring, bundle):
        """(lines, exit status) of the program on these bytes."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for file, content in ("keyring", keyring), ("bundle", bundle), ("key", self.key_file.read_bytes()):
                (folder / file).touch(mode=0o600)
                (folder / file).write_bytes(content)
            program, key = os.environ["CONSIGNEE"], folder / "key"
            card = self.card_file.read_text(encoding="ascii")
            read_out = P.fingerprint(P.CARD, P.read_line(P.CARD, card, R.InputError))
            trust = [program, "party", "trust", "--key", key, self.card_file, "--fingerprint", read_out]
            subprocess.run(trust, check=True, capture_output=True)
            read = [program, "read", "--json", "--key", key, "--keyring", folder / "keyring", folder / "bundle"]
            done = subprocess.run(read, capture_output=True, text=True)
        return [compact(json.loads(line)) for line in done.stdout.split("\n")[:-1]], done.returncode

    def sealed_anew(self, raw, payload):
        """The same envelope around another payload, signed by the vault. X25519 only."""
        env = P.parse_envelope(raw[:4], raw)
        private = b"\5" * 32
        e, pk = P.dh_public(private), self.public[2:34]
        aes_key, nonce = P.key_schedule(P.X25519, P.shared_x25519(e, pk, P.dh(private, pk)), env.outside)
        signed = env.outside + e + R.lp(R.AESGCM(aes_key).encrypt(nonce, payload, b""))
        _, seed = self.vault.unwrap_key((6, 0, 0))
        issuing = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        return signed + issuing.sign(b"consignee/v1/file" + R.sha(signed))


def sent(name, party, now):
    """A party reads what the program read; the ledger has committed to each byte of it."""
    vault = party.vault
    known = vault.party(party.name)
    check(f"{name}: public key", party.public == party.key.public() == known.keys[-1])
    seeds = [vault.unwrap_key((kind, 0, 0))[1] for kind in (6, 7)]
    public = [ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() for seed in seeds]
    check(f"{name}: card", party.card == (vault.id, *public, f"consignee/{vault.id.hex()}".encode()))
    got = party.read(party.keyring, party.bundle, now)
    check(f"{name}: shared", got == ([compact(json.loads(line)) for line in party.printed], []), f"{party.name}: {got}")
    holder, entries = party.holder(), vault.ledger()
    keyring_file = P.binary(party.keyring)
    keyring = holder.keyring(party.keyring, now)
    grant = R.H("consignee/v1/commit/keyring", keyring_file)
    grants = [entry for entry in entries if entry.type == 4 and entry.commitments == [grant]]
    key_id = vault.ids_of(known.number)[-1]
    check(f"{name}: grant", [entry.party for entry in grants] == [key_id])
    env, payload = holder.open(b"CNSB", party.bundle)
    check(f"{name}: outside", (env.party, env.policy) == (key_id, vault.in_force.digest))
    bundle = P.parse_bundle(payload, env.vault_id)
    table = vault.in_force.table(known.role, bundle.purpose)
    check(f"{name}: parts of the purpose", bundle.permitted == table.parts)
    lines_ = (known.lines or "") if table.lines else ""
    ids = {R.mac(vault.id_key, b"consignee/v1/copy", key_id, id_)[:16]: id_ for id_ in vault.store.records}
    for copy_ in bundle.copies:
        rec, entry = copy_.record, entries[copy_.index]
        made = R.disclosure(key_id, lines_, rec, copy_.ticket, rec.parts)
        row = vault.find_record(ids[rec.record_id])
        handle = R.handle(row[3], key_id)
        stands = (entry.type, entry.party, entry.handle, entry.purpose, entry.revision, entry.parts, entry.commitments)
        fits = stands == (11, key_id, handle, bundle.purpose, copy_.revision, list(rec.parts), [made])
        check(f"{name}: entry of a copy", fits, str(entry))
        check(f"{name}: revision of a copy", copy_.revision == row[1].revision)
        end = row[1].put_time + table.expires if table.expires else 0
        check(f"{name}: end of a copy", copy_.expires == end, f"{copy_.expires}, {end}")
        alias = R.make_alias(vault.alias_key, vault.id, known.number, row[1].serial)
        check(f"{name}: alias of a copy", copy_.alias == alias)
        check(f"{name}: no value in common", rec.n1 != row[0].n1 and not set(copy_.ticket.values()) & stored_tickets(row))
    if keyring.keys and bundle.expires:
        late = party.read(party.keyring, party.bundle, bundle.expires + 1)
        check(f"{name}: bundle over", late is R.Expired)


def stored_tickets(found):
    rec, _, secret, _ = found
    return {R.ticket_part(rec.suite, secret, rec.record_id, f) for f in rec.parts}


def alter_sent(party, others, rng, now):
    """Altered, cut and exchanged files."""
    keyring, bundle = P.binary(party.keyring), P.binary(party.bundle)
    known = {R.Damaged, R.NewerFormat, R.NotFound, R.CannotOpen}
    for raw, read in (
        (keyring, lambda raw: party.read(raw, bundle, now)),
        (bundle, lambda raw: party.read(keyring, raw, now)),
    ):
        outside = P.parse_envelope(raw[:4], raw).outside
        for at in sorted({*range(len(outside) + 8), *range(len(raw) - 70, len(raw)), *rng.sample(range(len(raw)), 40)}):
            got = read(raw[:at] + bytes([raw[at] ^ rng.choice((1, 0x40, 0x80))]) + raw[at + 1 :])
            expected = known if at < len(outside) + 40 else {R.CannotOpen, R.Damaged}
            expected = {R.Damaged, R.NewerFormat} if at < 5 else {R.NotFound} if 7 <= at < 23 else expected
            check("sent: altered (F100, F101)", got in expected, f"byte {at}: {got}")
            check("sent: cut (F100)", read(raw[:at]) is R.Damaged, f"at {at}")
        check("sent: longer (F100)", read(raw + b"x") is R.Damaged)
    check("sent: exchanged", party.read(bundle, keyring, now) is R.Damaged)
    for other in others:
        check("sent: another's keyring", party.read(other.keyring, bundle, now) is R.CannotOpen)
        check("sent: another's bundle", party.read(keyring, other.bundle, now) is R.CannotOpen)
    check("sent: not pinned", outcome(P.Holder(party.key, []).keyring, keyring, now) is R.NotFound)


def alter_payloads(party, rng, now):
    """What a shop that runs other code may seal and sign: this reader and the program must make the same of it."""
    keyring, bundle = P.binary(party.keyring), P.binary(party.bundle)
    for which, raw in enumerate((keyring, bundle)):
        payload = party.holder().open(raw[:4], raw)[1]
        again = [keyring, bundle]
        again[which] = party.sealed_anew(raw, payload)
        check("payloads: sealed anew", party.read(*again, now) == party.read(keyring, bundle, now))
        for at in sorted({*range(60), *rng.sample(range(len(payload)), 60)}):
            byte = rng.choice((0, 1, payload[at] ^ 1, payload[at] ^ 0x80, 0xFF))
            changed = payload[:at] + bytes([byte]) + payload[at + 1 :]
            changed = rng.choice((changed, changed, changed, payload[:at], payload[:at] + bytes(1) + payload[at:]))
            again[which] = party.sealed_anew(raw, changed)
            mine, (printed, status) = party.read(*again, now), party.by_the_program(*again)
            good, refused = mine if isinstance(mine, tuple) else ([], [mine])
            all_over = bool(refused) and not good and set(refused) == {R.Expired}
            expected = good, 3 if all_over else int(bool(refused))
            check("payloads: as the program says", (printed, status) == expected, f"{at}: {mine}, and {printed} {status}")


def parties(folder, name, vault, now):
    folder = folder / f"{name}.parties"
    known = [Sent(folder, path.stem, vault) for path in sorted(folder.glob("*.bundle"))]
    for party in known:
        sent(name, party, now)
    return known


def rotated(folder):
    """Keyrings of two epochs, and of the later one; bundles of before and after."""
    for name, epochs, suites in (("rotated", [1, 2], {1: 1, 2: 2}), ("resealed", [2], {2: 2})):
        key_file = (folder / f"{name}.key").read_text(encoding="utf-8")
        vault, now = read_vault(folder, name, key_file=key_file)
        check(f"{name}: epochs", vault.suites == suites)
        for party in parties(folder, name, vault, now):
            keyring = party.holder().keyring(party.keyring, now)
            check(f"{name}: epochs of a keyring", sorted(keyring.suites) == epochs and keyring.suites == suites)
        put_comes_back(name, vault, now)
    for path in sorted((folder / "rotated.before").glob("*.bundle")):
        party = Sent(path.parent, path.stem, vault)
        got = party.read(party.keyring, party.bundle, now)
        check("rotated: bundles of before", got == ([compact(json.loads(line)) for line in party.printed], []), str(got))


def attacked(known, rng, now):
    courier = next(party for party in known if party.name == "SF Express")
    alter_sent(courier, [party for party in known if party is not courier], rng, now)
    alter_payloads(courier, rng, now)


def read_vault(folder, name, **root):
    vault = R.Vault(R.read_store(folder / f"{name}.vault"), **root)
    now = max(entry.time for entry in vault.ledger())
    opened(name, vault, folder / f"{name}.opened", now)
    printed_ledger(name, vault.store, folder / f"{name}.ledger")
    orders = lines(SAMPLES / "orders.jsonl") + lines(SAMPLES / "later.jsonl")
    verified(name, vault, [json.loads(line)["order_no"] for line in orders])
    text = (folder / f"{name}.vault/policy.toml").read_text(encoding="utf-8")
    check(f"{name}: policy as bytes", canonical(tomllib.loads(text)) == vault.in_force.raw)
    return vault, now


def restored(folder, now):
    """A vault with a ledger before its present one, and the backup that it was made from."""
    key_file = (folder / "suite1.key").read_text(encoding="utf-8")
    vault, _ = read_vault(folder, "restored", key_file=key_file)
    given_out_before("restored", vault, folder / "suite1.before")
    seen("restored", vault, folder / "restored.seen")
    put_comes_back("restored", vault, now)
    store = vault.store
    check("restored: succession", len(store.former) == 1 and R.parse_entry(store.entries[0]).type == 15)
    without = dataclasses.replace(store, former=[])
    check("restored: a former ledger is missing (F94)", outcome(R.Vault, without, key_file) is R.Damaged)
    exchanged = dataclasses.replace(store, former=[(store.entries, store.head)])
    check("restored: a former ledger is another (F94)", outcome(R.Vault, exchanged, key_file) is R.Damaged)
    parts = ("records", "secrets", "keys")
    sets = [R.read_set(folder / "backup" / part, part, vault.registry_key, vault.id) for part in parts]
    notes = {(said["backup"], said["time"], said["ledger"]) for said in sets}
    (size, root), _ = vault.former[0]
    check("restored: manifests (F97)", len(notes) == 1 and sets[0]["ledger"] == f"{size}:{root.hex()}", str(sets))


def run(folder):
    rng = random.Random(1)
    primitives()
    worked_values()
    normalisers(rng)
    for name in ("suite1", "suite2"):
        key_file = (folder / f"{name}.key").read_text(encoding="utf-8")
        vault, now = read_vault(folder, name, key_file=key_file)
        found(name, vault, folder / f"{name}.found", now)
        seen(name, vault, folder / f"{name}.seen")
        put_comes_back(name, vault, now)
        given_out_before(name, vault, folder / f"{name}.before")
        attacked(parties(folder, name, vault, now), rng, now)
        alter_record(vault, "W-6", rng)
        alter_rows(vault, "W-6", "L-1", rng)
        then = now + 31 * 86_400
        check(f"{name}: expired", outcome(vault.open_order, "SF Express", "delivery", "W-2", now=then) is R.Expired)
        back = vault.open_order("SF Express", "delivery", "W-2", now=0)
        check(f"{name}: a clock before the put", back["revision"] == 2)
    restored(folder, now)
    rotated(folder)
    alter_items(vault, key_file, rng)
    alter_values(vault, rng)
    aliases(vault, rng)
    what_reaches(vault)
    of_each_type = {R.parse_entry(entry).type: entry for entry in vault.store.entries}
    check("entry: types", set(of_each_type) == {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14}, str(sorted(of_each_type)))
    for raw in of_each_type.values():
        alter_bytes("entry", raw, R.parse_entry, rng, {R.Damaged})
    entries = vault.store.entries
    for changed in (
        entries[:-1],
        entries + entries[:1],
        entries[1:2] + entries[:1] + entries[2:],
        [entries[0][:-1] + b"x"] + entries[1:],
    ):
        check("ledger altered (F38)", outcome(R.verify_head, changed, *vault.store.head) is R.Damaged)
    refused_policies = {R.Damaged, R.NewerFormat}
    alter_bytes("policy", vault.in_force.raw, R.Policy, rng, refused_policies, lambda p: encode_policy(p) == p.raw)
    passphrase = (folder / "pass.passphrase").read_text(encoding="utf-8")
    vault, _ = read_vault(folder, "pass", passphrase=passphrase)
    passphrases(vault.store, passphrase)


def main(folder):
    run(pathlib.Path(folder))
    for group, (good, bad) in TALLY.items():
        print(f"{group}: {good}" + (f", WRONG {bad}" if bad else ""))
    for wrong in WRONG:
        print("--", wrong)
    bad = sum(bad for _, bad in TALLY.values())
    print(f"{sum(good for good, _ in TALLY.values())} checks agree, {bad} do not")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
