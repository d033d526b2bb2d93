#!/usr/bin/env python3
"""Reads every vector of tests/vectors with reader.py: the good ones with every value on the way, the bad ones to be refused
with the outcome that they expect.

    pip install cryptography        # 44 or later, for Argon2id; 47 or later for X-Wing
    python3 tests/interop/check_vectors.py [FOLDER]
"""

import json
import pathlib
import sys

import party as P
import published
import reader as R
from cryptography.hazmat.primitives.asymmetric import ed25519

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


# ---- Parties


def check_party_key(vector, _):
    key = P.read_private(vector["text"], vector.get("passphrase"))
    if not is_good(vector):
        return
    same("bytes", key.raw, vector["bytes"])
    same("KEM", key.kem, vector["kem"])
    same("opening key", key.opening, vector["opening_key"])
    same("seed", key.seed, vector["signing_seed"])
    same("public key", key.public(), vector["public"])
    if "wrapped" in vector:
        raw = P.read_line(P.LOCKED, vector["text"], R.Damaged)
        _, wrapping_key, ad = P.locked_key(raw, vector["passphrase"])
        same("parameters and wrap", raw, vector["parameters"] + vector["wrapped"])
        same("key", wrapping_key, vector["key"])
        same("associated data", ad, vector["associated_data"])
        same("nonce", raw[29:53], vector["nonce"])


def check_public_key(vector, _):
    raw = P.read_public(vector["text"])
    if is_good(vector):
        same("bytes", raw, vector["bytes"])
        same("fingerprint", P.fingerprint(P.PUBLIC, raw), vector["fingerprint"])
        key_id = R.party_key_id(unhex(vector["vault_id"]), vector["party"], raw)
        same("key id", key_id, vector["party_key_id"])


def check_card(vector, _):
    card = P.read_card(vector["text"])
    if is_good(vector):
        raw = b"".join(card)
        same("bytes", raw, vector["bytes"])
        same("fingerprint", P.fingerprint(P.CARD, raw), vector["fingerprint"])
        pieces = [card.vault_id.hex(), card.issuing.hex(), card.ledger.hex(), card.origin.decode()]
        same("pieces", pieces, [vector[name] for name in ("vault_id", "issuing_key", "ledger_key", "origin")])


def holder_of(vector):
    return P.Holder(P.read_private(vector["key"]), map(P.read_card, vector["cards"]))


def file_of(vector):
    return vector["text"].encode() if "text" in vector else unhex(vector["file"])


def check_keyring(vector, _):
    holder = holder_of(vector)
    if "taken_before" in vector:
        holder.keyring(unhex(vector["taken_before"]), vector["clock"])
    holder.keyring(file_of(vector), vector["clock"])
    if "inputs" in vector:
        inputs = vector["inputs"]
        payload = R.u64(inputs["issued"]) + R.str8(inputs["party"]) + R.str8(inputs["role"])
        payload += R.u8(len(inputs["parts"]))
        for part in inputs["parts"]:
            payload += R.u16(part["part"]) + R.u8(part["type"]) + R.str8(part["name"])
        payload += R.u16(len(inputs["epochs"]))
        for epoch in inputs["epochs"]:
            payload += R.u32(epoch["epoch"]) + R.u8(epoch["suite"]) + R.u8(len(epoch["keys"]))
            payload += b"".join(R.u16(key["part"]) + unhex(key["key"]) for key in epoch["keys"])
        check_sealed(b"CNSK", vector, holder, payload)


def check_bundle(vector, _):
    holder = holder_of(vector)
    keyring = holder.keyring(unhex(vector["keyring"]), vector.get("keyring_clock", vector["clock"]))
    orders = list(holder.read(keyring, file_of(vector), vector["clock"]))
    for order in orders:
        if isinstance(order, R.Outcome):
            raise order
    if "inputs" in vector:
        same("orders", orders, vector["orders"])
        inputs = vector["inputs"]
        payload = R.u64(inputs["issued"]) + R.u64(inputs["expires"])
        payload += b"".join(R.str8(inputs[name]) for name in ("party", "role", "purpose"))
        payload += R.u8(len(inputs["permitted"])) + b"".join(map(R.u16, inputs["permitted"]))
        payload += R.u32(len(inputs["copies"]))
        for copy, made in zip(inputs["copies"], vector["intermediate"]["copies"], strict=True):
            payload += check_copy(inputs, copy, made)
        check_sealed(b"CNSB", vector, holder, payload)


def check_copy(inputs, copy, made):
    """The bytes of a copy in the payload."""
    sealing, party = copy["sealing"], unhex(inputs["party_key_id"])
    rec, secret = R.parse_record(unhex(made["record"])), unhex(sealing["order_secret"])
    copied = unhex(copy["order_record_id"])
    same("record id", R.mac(unhex(copy["id_key"]), b"consignee/v1/copy", party, copied)[:16], made["record_id"])
    same("record id of the record", rec.record_id, made["record_id"])
    same("head", rec.head, made["header"] + made["directory"] + sealing["n2"])
    policy = inputs["policy_digest"][:32]
    stated = [sealing["suite"], sealing["vault_id"], 0, sealing["epoch"], policy, sealing["n1"]]
    same("header", [rec.suite, rec.vault_id.hex(), rec.revision, rec.epoch, rec.policy.hex(), rec.n1.hex()], stated)
    ticket = {}
    for f, part, on_the_way in zip(rec.parts, sealing["parts"], made["parts"], strict=True):
        key = unhex(part["field_key"])
        half = R.kdf(rec.suite, key, rec.n1 + R.u16(0))
        ticket[f] = R.ticket_part(rec.suite, secret, rec.record_id, f)
        padded = R.open_part(rec, f, key, ticket[f])
        same("encoded", R.encode(R.decode_value(padded)), part["encoded"])
        steps = {
            "part": f,
            "A": half,
            "T": ticket[f],
            "DEK": R.xor(half, ticket[f]),
            "associated_data": R.associated_data(rec, f),
            "padded": padded,
            "ciphertext": rec.parts[f],
        }
        for name, mine in steps.items():
            same(name, mine, on_the_way[name])
        check_subkeys(rec.suite, key, on_the_way["field_key_subkeys"])
    same("commitment", R.disclosure(party, inputs["lines"], rec, ticket, rec.parts), made["commitment"])
    head = R.u64(copy["index"]) + R.u32(copy["revision"]) + R.u64(copy["expires"]) + copy["alias"].encode()
    return head + R.lp(rec.raw) + b"".join(ticket.values())


def check_sealed(magic, vector, holder, payload):
    """The envelope: all on the way, and the whole again from the inputs and the randomness of the encapsulation."""
    inputs, made, raw = vector["inputs"], vector["intermediate"], file_of(vector)
    env, opened = P.parse_envelope(magic, raw), holder.open(magic, raw)[1]
    same("payload", opened, payload.hex())
    public, random = unhex(inputs["public_key"]), unhex(inputs["encapsulation_randomness"])
    key_id = R.party_key_id(unhex(inputs["vault_id"]), inputs["party_number"], public)
    outside = magic + R.u8(1) + R.u16(inputs["kem"]) + unhex(inputs["vault_id"]) + key_id
    outside += unhex(inputs["policy_digest"]) + R.str8(inputs["origin"])
    issuing = ed25519.Ed25519PrivateKey.from_private_bytes(unhex(inputs["issuing_seed"]))
    steps = {
        "outside": outside,
        "payload": opened,
        "encapsulated_key": env.e,
        "ciphertext": env.ciphertext,
        "digest": R.sha(env.signed),
        "signed": P.signed_message(env),
        "signature": issuing.sign(P.signed_message(env)),
    }
    for name, mine in steps.items():
        same(name, mine, made[name])
    same("outside of the file", env.outside, outside.hex())
    if inputs["kem"] == P.X25519:
        private, pk = P.derive_key_pair(random), public[2:34]
        same("encapsulated key", env.e, P.dh_public(private).hex())
        shared = P.shared_x25519(env.e, pk, P.dh(private, pk))
        key, nonce = P.key_schedule(P.X25519, shared, outside)
        same("sealed anew", env.ciphertext, R.AESGCM(key).encrypt(nonce, payload, b"").hex())
    else:
        same("X25519 half of the encapsulated key", env.e[1088:], P.dh_public(random[32:]).hex())


def check_request(vector, _):
    request, card = P.parse_request(file_of(vector)), P.read_card(vector["card"])
    P.check_request(request, card, P.read_public(vector["public_key"]))
    if "inputs" in vector:
        inputs, made = vector["inputs"], vector["intermediate"]
        public = unhex(inputs["public_key"])
        raw = b"CNSR\1" + unhex(inputs["vault_id"]) + R.sha(public) + R.str8(inputs["origin"])
        raw += R.u64(inputs["time"]) + unhex(inputs["nonce"]) + R.str8(inputs["purpose"])
        raw += R.u8(len(inputs["parts"])) + b"".join(map(R.u16, inputs["parts"]))
        raw += R.u32(len(inputs["aliases"])) + "".join(inputs["aliases"]).encode()
        key = ed25519.Ed25519PrivateKey.from_private_bytes(unhex(inputs["signing_seed"]))
        steps = {
            "unsigned": raw,
            "digest": R.sha(raw),
            "signed": P.request_message(request),
            "signature": key.sign(P.request_message(request)),
            "hash": P.request_hash(request),
        }
        for name, mine in steps.items():
            same(name, mine, made[name])
        same("file", raw + steps["signature"], vector["file"])
        same("digest of the key", request.key_digest, inputs["key_digest"])
        key_id = R.party_key_id(request.vault_id, inputs["party_number"], public)
        same("party key id", key_id, inputs["party_key_id"])


def check_revealed(vector, _):
    revealed = P.parse_revealed(vector["text"])
    if "bundle" in vector:
        holder = P.Holder(P.read_private(vector["key"]), [P.read_card(vector["card"])])
        env, payload = holder.open(b"CNSB", unhex(vector["bundle"]))
        bundle = P.parse_bundle(payload, env.vault_id)
        outside = [env.vault_id.hex(), env.origin.decode(), env.party.hex()]
        same("outside", [revealed.vault_id.hex(), revealed.origin, revealed.party.hex()], outside)
        for copy, shared, stated in zip(revealed.copies, bundle.copies, vector["commitments"], strict=True):
            mine = copy.index, copy.alias, copy.record.raw.hex(), [t.hex() for t in copy.tickets.values()]
            theirs = shared.index, shared.alias, shared.record.raw.hex(), [t.hex() for t in shared.ticket.values()]
            same("copy", list(mine), list(theirs))
            made = R.disclosure(revealed.party, vector["lines"], copy.record, copy.tickets, copy.record.parts)
            same("commitment", made, stated)


def check_slip(vector, _):
    slip = P.read_slip(vector["text"])
    P.check_slip(slip)
    if "inputs" in vector:
        made = vector["intermediate"]
        same("put entry", slip.put_entry, made["put_entry"])
        same("root", slip.root, made["root"])
        same("checkpoint", slip.checkpoint.decode(), made["checkpoint"])
        same("order number", slip.order_no, vector["inputs"]["order_no"])
def check_published(vector, _):
    published.check_published(vector, same)


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
    "party key": check_party_key,
    "public key": check_public_key,
    "card": check_card,
    "keyring": check_keyring,
    "bundle": check_bundle,
    "request": check_request,
    "revealed": check_revealed,
    "slip": check_slip,
    "published": check_published,
}


def outcome(vector, vectors):
    try:
        CHECKS[vector["of"]](vector, vectors)
    except R.Outcome as e:
        return e.name
    except AssertionError as e:
        return f"opens, but {e}"
    except P.NoMlKem:
        return None
    return "opens"


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "vectors"
    vectors = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    wrong = unread = 0
    for name, vector in vectors.items():
        found = outcome(vector, vectors)
        if found is None:
            unread += 1
        elif found != vector["expect"]:
            wrong += 1
            print(f"{name}: {found}, and not {vector['expect']}")
    seen = {vector["of"] for vector in vectors.values()}
    assert seen == set(CHECKS), f"no vector of {set(CHECKS) - seen}"
    good = sum(map(is_good, vectors.values()))
    print(f"{good} good and {len(vectors) - good} bad vectors; {wrong} read otherwise")
    if unread:
        print(f"NOT READ: {unread} of X-Wing, for which this Python's `cryptography` has no ML-KEM")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
