#!/usr/bin/env python3
"""Reads every vector of tests/vectors with reader.py: the good ones with every value on the way, the bad ones to be refused
with the outcome that they expect.

    pip install cryptography        # 44 or later, for Argon2id
    python3 tests/interop/check_vectors.py [FOLDER]
"""

import json
import pathlib
import sys

import reader as R

unhex = bytes.fromhex
TYPES = ["text", "bool", "integer", "money", "timestamp", "address", "list", "bytes", "json"]


def same(name, mine, stated):
    """A value on the way must be the file's."""
    mine = mine.hex() if isinstance(mine, bytes) else mine
    assert mine == stated, f"{name}: {mine} and not {stated}"


def is_good(vector):
    return vector["expect"] == "opens"


# ---- Vaults and records


def vault_of(vector, **stored):
    items = {(item["kind"], item["id"], item["generation"]): unhex(item["body"]) for item in vector["items"]}
    store = R.Store(items, stored.get("records", {}), [], stored.get("rows", []), [], (0, b""))
    return R.Vault(store, root=unhex(vector["root_key"]))


def check_vault(vector, _):
    vault = vault_of(vector)
    if not is_good(vector):
        return
    same("vault id", vault.id, vector["vault_id"])
    same("parameters", vault.parameters, vector["parameters"])
    same("tags", vault.all_tags(), vector["all_tags"])
    same("seal", vault.store.items[40, 0, 0], vector["seal"])
    for key in vector["keys"]:
        place = key["kind"], key["id"], key["generation"]
        suite, unwrapped = vault.unwrap_key(place)
        same("suite", suite, key["suite"])
        same("key", unwrapped, key["key"])
        same("associated data", R.wrap_ad(vault.id, place, suite, vault.parameters), key["associated_data"])
        same("wrapped", vault.store.items[place][1:-32], key["wrapped"])
        same("nonce", vault.store.items[place][1:25], key["nonce"])
    same("policy", vault.in_force.raw, vector["policy"])
    same("digest", vault.in_force.digest, vector["policy_digest"])
    for party in vector["parties"]:
        same("key id", R.party_key_id(vault.id, party["number"]), party["key_id"])


def row_of(node):
    numbers = [node[name] for name in ("revision", "generation", "state", "put_at", "serial", "policy")]
    ids = unhex(node["record_id"]), unhex(node["n1"])
    row = R.Row(*ids, *numbers, node.get("changed_at", 0), unhex(node["fingerprint"]), unhex(node["wrapped"]))
    return R.check_row(row)


def check_record(vector, vectors):
    rows = [row_of(node) for node in vector["rows"]]
    stored_under = unhex(vector["stored_under"]) if "stored_under" in vector else rows[0].record_id
    records = {stored_under: unhex(vector["record"])}
    vault = vault_of(vectors[vector["vault"]], records=records, rows=rows)
    record_id = R.record_id_of(vault.id_key, vector["order_no"])
    rec, row, secret, handle_key = vault.find_record(record_id)
    values = vault.open_parts(rec, secret, vault.in_force.types)
    if is_good(vector):
        check_sealing(vector, vault, (rec, row, secret, handle_key), values)


def check_sealing(vector, vault, found, values):
    """All that went into a record, and all that is made of it on the way."""
    rec, row, secret, handle_key = found
    inputs, made = vector["inputs"], vector["intermediate"]
    release_suite, release_key = vault.rk[row.generation]
    stated = {
        "suite": rec.suite,
        "vault_id": rec.vault_id,
        "order_no": vector["order_no"],
        "revision": rec.revision,
        "epoch": rec.epoch,
        "n1": rec.n1,
        "n2": rec.n2,
        "id_key": vault.id_key,
        "order_secret": secret,
        "handle_key": handle_key,
        "own_key_id": R.party_key_id(vault.id, 0),
        "party_key_id": R.party_key_id(vault.id, 3),
    }
    for name, mine in stated.items():
        same(name, mine, inputs[name])
    same("policy", rec.policy.hex(), inputs["policy_digest"][:32])
    of_row = {
        "suite": release_suite,
        "release_key": release_key,
        "nonce": row.wrapped[:24],
        "generation": row.generation,
        "put_at": row.put_time,
        "serial": row.serial,
        "policy": row.policy,
    }
    for name, mine in of_row.items():
        same(name, mine, inputs["row"][name])
    same("associated data", row.ad(vault.id), made["row"]["associated_data"])
    same("plaintext of the row", secret + handle_key, made["row"]["plaintext"])
    check_subkeys(release_suite, release_key, made["row"].get("wrap_subkeys"))
    check_subkeys(rec.suite, secret, made.get("order_secret_subkeys"))
    same("record", rec.raw, made["record"])
    same("record id", rec.record_id, made["record_id"])

    canonical, ticket, keys = b"", {}, []
    for f, part, on_the_way in zip(rec.parts, inputs["parts"], made["parts"], strict=True):
        key = vault.fk[rec.epoch, f]
        half = R.kdf(rec.suite, key, rec.n1 + R.u16(0))
        ticket[f] = R.ticket_part(rec.suite, secret, rec.record_id, f)
        encoded = R.encode(values[f])
        same("part", f, part["part"])
        same("field key", key, part["field_key"])
        same("type", TYPES[values[f].tag - 1], part["type"])
        same("value", R.show(values[f]), part["value"])
        same("encoded", encoded, part["encoded"])
        steps = {
            "A": half,
            "T": ticket[f],
            "DEK": R.xor(half, ticket[f]),
            "associated_data": R.associated_data(rec, f),
            "padded": R.open_part(rec, f, key, ticket[f]),
            "ciphertext": rec.parts[f],
        }
        for name, mine in steps.items():
            same(name, mine, on_the_way[name])
        check_subkeys(rec.suite, key, on_the_way.get("field_key_subkeys"))
        if not part["facet"]:
            canonical += R.u16(f) + R.lp(encoded)
        epoch = R.u32(rec.epoch)
        fk = R.H("consignee/v1/commit/fk", vault.id, epoch, R.u16(f), R.u8(rec.suite), key)
        keys.append({"part": f, "commitment": fk.hex()})
    same("canonical values", canonical, made["row"]["canonical_values"])
    fingerprint = R.mac(vault.id_key, b"consignee/v1/same", rec.record_id, secret, canonical)[:16]
    same("fingerprint", fingerprint, made["row"]["fingerprint"])
    same("fingerprint of the row", row.fingerprint, made["row"]["fingerprint"])
    party = R.party_key_id(vault.id, 3)
    for name, who in {"vault": R.party_key_id(vault.id, 0), "party": party}.items():
        same("handle", R.handle(handle_key, who), made["handles"][name])
    order_no = vector["order_no"].encode()
    commitments = {
        "fk": keys,
        "record": R.H("consignee/v1/commit/record", rec.raw).hex(),
        "os": R.H("consignee/v1/commit/os", rec.record_id, rec.n1, secret).hex(),
        "order": R.H("consignee/v1/commit/order", handle_key, rec.record_id, order_no).hex(),
        "disclosure": R.disclosure(party, inputs["lines"], rec, ticket, rec.parts).hex(),
    }
    same("commitments", commitments, made["commitments"])
    check_searched(vector, vault, rec, values)


def check_subkeys(suite, key, stated):
    if suite == 1:
        l_, c = R.subkeys(key)
        same("subkeys", {"L": l_.hex(), "C": c.hex()}, stated)
    else:
        assert stated is None


def check_searched(vector, vault, rec, values):
    desk = R.Party(2, "", "", None, "active", 0, b"")
    for searched in vector["searched"]:
        f, text = searched["field"], searched["text"]
        index = vault.in_force.indexes[f]
        same("text", values[f].content, text)
        same("normaliser", index.normaliser, searched["normaliser"])
        same("country", (index.country or "\0\0"), searched["country"])
        same("bits", index.expect.bit_length() - 2, searched["bits"])
        same("tag", vault.search_tag(rec.epoch, f, index, R.form(text, index)), searched["tag"])
        same("query", vault.query(desk, f, text), searched["query"])


def check_evidence(vector, _):
    row, vault_id = row_of(vector["row"]), unhex(vector["vault_id"])
    handle_key, reason = R.open_evidence(vector["suite"], unhex(vector["release_key"]), row, vault_id)
    if not is_good(vector):
        return
    same("handle key", handle_key, vector["handle_key"])
    same("reason", reason, vector["reason"])
    same("associated data", row.ad(vault_id), vector["associated_data"])
    made = R.H("consignee/v1/commit/reason", handle_key, row.record_id, reason.encode())
    same("commitment", made, vector["reason_commitment"])
    same("nonce", row.wrapped[:24], vector["nonce"])
    same("own key id", R.party_key_id(vault_id, 0), vector["own_key_id"])


def check_row_bytes(vector, _):
    row = R.parse_row(unhex(vector["bytes"]))
    if is_good(vector):
        assert row == row_of(vector["row"])
        same("bytes", row.to_bytes(), vector["bytes"])


# ---- Values, masks, normalisers


def check_value(vector, _):
    value = R.decode_value(unhex(vector["padded"]), TYPES.index(vector["type"]) + 1)
    if is_good(vector):
        same("value", R.show(value), vector["value"])


def check_padding(vector, _):
    for n, padded in vector["lengths"]:
        same(f"P({n})", R.padded_length(n), padded)


def check_mask(vector, _):
    for text, masked in vector["cases"]:
        if vector["mask"] == 3:
            value = R.Value(R.ADDRESS, R.Address([], text, "", "", ""))
        else:
            value = R.Value(R.TEXT, text)
        same(text, R.mask(vector["mask"], value), masked)


def check_normaliser(vector, _):
    index = R.Index(vector["normaliser"], vector["country"], 8)
    for text, expected in vector["cases"]:
        same(text, R.form(text, index), expected)


# ---- Policies, entries, ledger


def check_policy(vector, _):
    policy = R.Policy(unhex(vector["canonical"]))
    if is_good(vector):
        same("digest", policy.digest, vector["digest"])


def check_entry(vector, _):
    raw = unhex(vector["entry"])
    same("leaf", R.tree_root([R.sha(b"\0", raw)]), vector["leaf"])
    entry = R.parse_entry(raw)
    if not is_good(vector):
        return
    for name, mine in entry._asdict().items():
        if name == "commitments":
            mine = [commitment.hex() for commitment in mine]
        same(name, mine, vector["fields"][name])
    if inputs := vector.get("commitment_inputs"):
        texts = [inputs[name].encode() for name in ("role", "name", "lines")]
        made = R.H("consignee/v1/commit/party", unhex(inputs["salt"]), *texts)
        same("commitment", [made.hex()], vector["fields"]["commitments"])


def check_ledger(vector, _):
    entries = [unhex(entry) for entry in vector["entries"]]
    R.verify_head(entries, vector["size"], unhex("".join(vector["frontier"])))
    if is_good(vector):
        leaves = [R.sha(b"\0", entry) for entry in entries]
        roots = [R.tree_root(leaves[:size]).hex() for size in range(len(leaves) + 1)]
        same("roots", roots, vector["roots"])


# ---- Aliases, root keys


def check_alias(vector, _):
    key, vault_id = unhex(vector["alias_key"]), unhex(vector["vault_id"])
    party, serial = R.read_alias(key, vault_id, vector["alias"])
    if not is_good(vector):
        return
    same("party and serial", [party, serial], [vector["party"], vector["serial"]])
    block = party << 42 | serial << 6
    same("block", block.to_bytes(8, "big"), vector["block"])
    plain = [block >> 5 * at & 31 for at in reversed(range(12))]
    same("plain numerals", plain, vector["plain_numerals"])
    sealed = R.ff1(key, vault_id, plain)
    same("cipher numerals", sealed, vector["cipher_numerals"])
    same("plain numerals again", R.ff1(key, vault_id, sealed, decrypt=True), plain)
    same("check numeral", R.check_numeral(sealed), vector["check_numeral"])
    made = R.make_alias(key, vault_id, party, serial)
    same("alias", R.read_alias(key, vault_id, made), (party, serial))


def check_unwrap(vector, key):
    same("key", key, vector["key"])
    unwrapped = R.unwrap(1, key, unhex(vector["wrapped"]), unhex(vector["associated_data"]))
    same("unwrapped", unwrapped, vector["unwrapped"])


def check_key_file(vector, _):
    key = R.read_key_file(vector["text"])
    if is_good(vector):
        same("checksum", R.H("consignee/v1/key-file", key)[:4], vector["checksum"])
        check_unwrap(vector, key)


def check_passphrase(vector, _):
    key = R.root_key(unhex(vector["parameters"]), passphrase=vector["passphrase"])
    if is_good(vector):
        check_unwrap(vector, key)


CHECKS = {
    "vault": check_vault,
    "record": check_record,
    "evidence": check_evidence,
    "row bytes": check_row_bytes,
    "value": check_value,
    "padding": check_padding,
    "mask": check_mask,
    "normaliser": check_normaliser,
    "policy": check_policy,
    "entry": check_entry,
    "ledger": check_ledger,
    "alias": check_alias,
    "key file": check_key_file,
    "passphrase": check_passphrase,
}


def outcome(vector, vectors):
    try:
        CHECKS[vector["of"]](vector, vectors)
    except R.Outcome as e:
        return e.name
    except AssertionError as e:
        return f"opens, but {e}"
    return "opens"


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "vectors"
    vectors = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    wrong = 0
    for name, vector in vectors.items():
        found = outcome(vector, vectors)
        if found != vector["expect"]:
            wrong += 1
            print(f"{name}: {found}, and not {vector['expect']}")
    seen = {vector["of"] for vector in vectors.values()}
    assert seen == set(CHECKS), f"no vector of {set(CHECKS) - seen}"
    good = sum(map(is_good, vectors.values()))
    print(f"{good} good and {len(vectors) - good} bad vectors; {wrong} read otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
