#!/usr/bin/env python3
"""Computes the good vectors of tests/vectors anew from docs/format.md, without any code of this project.

    pip install cryptography        # 44 or later, for Argon2id
    python3 tests/interop/check_vectors.py [FOLDER]

Opens each sealed record with nothing but the root key, the items of its vault, the record and its secret row, and compares
what comes out, and every value on the way, with the file. HChaCha20 and FF1 are written out here; AES, GCM, ChaCha20-Poly1305
and Argon2id are those of `cryptography`. Bad vectors are left to the library's own tests and to a second implementation.
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import struct
import sys
from decimal import Decimal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

TYPES = ["text", "bool", "integer", "money", "timestamp", "address", "list", "bytes", "json"]
unhex = bytes.fromhex


def le(number, width, signed=False):
    return number.to_bytes(width, "little", signed=signed)


def lp(data):
    return le(len(data), 4) + data


def commit(label, *inputs):  # H, section 1
    return hashlib.sha256(lp(label.encode()) + b"".join(map(lp, inputs))).digest()


def mac(key, *inputs):
    return hmac.new(key, b"".join(inputs), hashlib.sha256).digest()


# ---- Section 2: suites


def aes(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def subkeys(key):
    l = aes(key, bytes(16))
    c = int.from_bytes(l, "big") << 1 & (1 << 128) - 1
    return l, (c ^ (0x87 if l[0] & 0x80 else 0)).to_bytes(16, "big")


def hchacha20(key, block):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + block))

    def rotate(value, by):
        return (value << by | value >> 32 - by) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            state[z] = rotate(state[z] ^ state[x], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def kdf(suite, key, x):
    if suite == 2:
        return hchacha20(key, b"cns1" + x)
    c = subkeys(key)[1]
    return b"".join(aes(key, xor(bytes([0, n, ord("X"), 0]) + x, c)) for n in (1, 2))


def unwrap(suite, key, wrapped, data):
    nonce, sealed = wrapped[:24], wrapped[24:]
    if suite == 1:
        return AESGCM(kdf(1, key, nonce[:12])).decrypt(nonce[12:], sealed, data)
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], sealed, data)


# ---- Sections 4 and 10: root keys and the vault


class Vault:
    def __init__(self, vector):
        items = {(i["kind"], i["id"], i["generation"]): unhex(i["body"]) for i in vector["items"]}
        layout, self.id, self.parameters = items[100, 0, 0][0], items[100, 0, 0][1:17], items[100, 0, 0][17:]
        assert layout == 1
        self.root = unhex(vector["root_key"])
        self.items = items
        self.registry = self.key(8, 0, 0)[1]
        tags = b""
        for place in sorted(items):
            if place[0] not in (40, 100):
                body, tag = items[place][:-32], items[place][-32:]
                assert self.tag(place, body) == tag, place
                tags += tag
        assert self.tag((40, 0, 0), tags) == items[40, 0, 0]
        self.tags = tags
        self.policy = items[max(place for place in items if place[0] == 32)][9:-32]

    def tag(self, place, body):
        kind, number, generation = place
        where = bytes([kind]) + le(number, 4) + le(generation, 4)
        return mac(self.registry, b"consignee/v1/registry", self.id, where, body)

    def key(self, kind, number, generation):
        body = self.items[kind, number, generation][:-32]
        return body[0], unwrap(1, self.root, body[1:], self.data(kind, number, generation, body[0]))

    def data(self, kind, number, generation, suite):
        where = bytes([kind]) + le(number, 4) + le(generation, 4) + bytes([suite])
        return b"consignee/v1/wrap" + self.id + where + self.parameters


def key_id(vault_id, party):
    return hashlib.sha256(b"consignee/v1/party" + vault_id + le(party, 4)).digest()[:16]


def check_vault(vector, _):
    vault = Vault(vector)
    assert vault.id.hex() == vector["vault_id"] and vault.parameters.hex() == vector["parameters"]
    assert vault.items[40, 0, 0].hex() == vector["seal"] and vault.tags.hex() == vector["all_tags"]
    for key in vector["keys"]:
        place = key["kind"], key["id"], key["generation"]
        assert vault.key(*place) == (key["suite"], unhex(key["key"]))
        assert vault.data(*place, key["suite"]) == unhex(key["associated_data"])
        assert vault.items[place][1:-32].hex() == key["wrapped"] and key["wrapped"].startswith(key["nonce"])
    assert vault.policy == unhex(vector["policy"])
    assert hashlib.sha256(vault.policy).hexdigest() == vector["policy_digest"]
    for party in vector["parties"]:
        assert key_id(vault.id, party["number"]).hex() == party["key_id"]


# ---- Section 5: values


def padded_length(tag, n):
    if tag in (2, 3, 4, 5):
        return n
    if n <= 256:
        return max(32, -(-n // 16) * 16)
    e = n.bit_length() - 1
    step = 1 << e - e.bit_length()
    return -(-n // step) * step


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n : self.at]

    def int(self, width, signed=False):
        return int.from_bytes(self.take(width), "little", signed=signed)

    def str(self, width=4):
        return self.take(self.int(width)).decode()

    def decimal(self):
        digits, scale = self.int(8, True), self.int(1)
        assert abs(digits) < 10**18 and scale <= 18
        return f"{Decimal(digits).scaleb(-scale):f}"


def timestamp(r):
    seconds, nanoseconds, offset, digits = r.int(8, True), r.int(4), r.int(2, True), r.int(1)
    minutes = 0 if offset == -32768 else offset
    assert nanoseconds < 10**9 and digits <= 9 and nanoseconds % 10 ** (9 - digits) == 0 and abs(minutes) < 1440
    local = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds + 60 * minutes)
    fraction = f".{nanoseconds // 10 ** (9 - digits):0{digits}}" if digits else ""
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return local.isoformat() + fraction + ("Z" if offset == -32768 else zone)


def rows(r):
    columns = [r.str(1) for _ in range(r.int(1))]
    assert len(set(columns)) == len(columns) <= 64
    count = r.int(4)
    assert count <= 65536 and (columns or not count)
    cell = [lambda: None, r.str, lambda: bool(r.int(1)), lambda: r.int(8, True), r.decimal]
    made = [{name: cell[r.int(1)]() for name in columns} for _ in range(count)]
    return [{name: value for name, value in row.items() if value is not None} for row in made]


def address(r):
    lines = [r.str() for _ in range(r.int(1))]
    return {"lines": lines} | {name: r.str() for name in ("city", "region", "postal_code", "country")}


def decode(padded, kind):
    r = Reader(padded)
    tag = r.int(1)
    assert TYPES[tag - 1] == kind
    value = {
        1: r.str,
        2: lambda: bool(r.int(1)),
        3: lambda: r.int(8, True),
        4: lambda: {"value": r.decimal(), "currency": r.take(3).decode()},
        5: lambda: timestamp(r),
        6: lambda: address(r),
        7: lambda: rows(r),
        8: lambda: base64.b64encode(r.take(r.int(4))).decode(),
        9: lambda: json.loads(r.str()),
    }[tag]()
    assert padded_length(tag, r.at) == len(padded) and not any(padded[r.at :])
    return value, r.at


def check_value(vector, _):
    assert decode(unhex(vector["padded"]), vector["type"])[0] == vector["value"]


def check_padding(vector, _):
    for n, padded in vector["lengths"]:
        assert padded_length(1, n) == padded, n


# ---- Section 6: masks


def mask(number, text):
    digits = [c for c in text if c in "0123456789"]
    if not text or number == 3:
        return text
    if number == 1:
        return (text[0] if len(text) > 1 else "") + "**"
    if number == 2:
        first, last = (3, 4) if len(digits) >= 11 else (0, 2) if len(digits) >= 4 else (0, 0)
        return "".join(digits[:first]) + "****" + "".join(digits[len(digits) - last :])
    return "****" + (text[-4:] if len(text) >= 8 else "")


def check_mask(vector, _):
    for text, masked in vector["cases"]:
        assert mask(vector["mask"], text) == masked, text


# ---- Section 6: normalisers

FORMAT = (pathlib.Path(__file__).resolve().parents[2] / "docs/format.md").read_text()
ROWS = [row.split() for row in FORMAT.split("```countries\n")[1].split("```")[0].split(";")]
PLANS = {code: ([] if trunk == "-" else trunk.split(","), int(longest)) for code, trunk, longest, *_ in ROWS}
ABROAD = {row[0]: row[3] for row in ROWS if row[3] != "-"}
HOMES = {country: row[0] for row in ROWS for country in row[4:]}
DIGITS = "0123456789"


def folded(c):
    n = ord(c)
    if 0xFF01 <= n <= 0xFF5E:
        return chr(n - 0xFEE0)
    if 0x660 <= n <= 0x669 or 0x6F0 <= n <= 0x6F9:
        return DIGITS[n & 15]
    return " " if n in (0xA0, 0x3000) else c


def span(first, last, by, step=1):
    return {n: n - by for n in range(first, last + 1, step)}


CAPITALS = (
    span(0x61, 0x7A, 32) | span(0xE0, 0xF6, 32) | span(0xF8, 0xFE, 32) | span(0x3B1, 0x3C1, 32) | span(0x3C3, 0x3CB, 32)
    | span(0x430, 0x44F, 32) | span(0x450, 0x45F, 80) | span(0x101, 0x12F, 1, 2) | span(0x133, 0x137, 1, 2)
    | span(0x14B, 0x177, 1, 2) | span(0x13A, 0x148, 1, 2) | span(0x17A, 0x17E, 1, 2) | span(0x3AD, 0x3AF, 37)
    | span(0x3CD, 0x3CE, 63) | {0xFF: 0x178, 0x3C2: 0x3A3, 0x3AC: 0x386, 0x3CC: 0x38C}
)


def numbers(*ranges):  # "A-B C" as a set
    pairs = [pair.split("-") for pair in " ".join(ranges).split()]
    return {n for pair in pairs for n in range(int(pair[0], 16), int(pair[-1], 16) + 1)}


MASKING = numbers("2A D7 2022 2026 2217 25CF")
GAPS = numbers("20 28 29 2D 2E AD 2000-2015 202A-202F 205F-2069 2212 30FC FEFF")
PLAIN = numbers(
    "9-D 20-7E A1-B1 B4-B8 BA BB BF-52F 590-6FF 900-965 E01-E4F 1E00-206F 20A0-20CF 2100-214F 2212 2600-26FF",
    "3001-3020 3041-30FF 4E00-9FFF AC00-D7A3 FEFF 1F4DE-1F4F2",
) - MASKING - set(map(ord, "〇零幺一二三四五六七八九十"))
MARKERS = "extension extn ext x # 转分机 轉分機 转 轉 分机 分機 分 内线".split()


def without_trunk(code, number):
    """The number without one trunk prefix; None where a second one follows."""
    trunks, longest = PLANS[code]

    def cut(number):
        fits = [t for t in trunks if number.startswith(t) and (t[0] == "0" or len(number) > longest)]
        return number[len(fits[0]) :] if fits else None

    rest = cut(number)
    return number if rest is None else rest if cut(rest) is None else None


def ends_cut(text, numbers):
    while text and ord(text[0]) in numbers:
        text = text[1:]
    while text and ord(text[-1]) in numbers:
        text = text[:-1]
    return text


def telephone(text, country):
    text = ends_cut(text, GAPS | numbers("9-D"))
    start = next((i for i, c in enumerate(text) if c in "+" + DIGITS), None)
    if start is None or not set(map(ord, text)) <= PLAIN:
        return ""
    plus = text[start] == "+"
    at, digits, slashes = start + plus, "", 0
    while at < len(text) and (text[at] in DIGITS + "/" or ord(text[at]) in GAPS):
        if text[at] == "/":
            slashes += 1
            if slashes > 1 or not 1 <= len(digits) <= 6 or not (plus or digits[0] == "0"):
                return ""
        elif text[at] in DIGITS:
            digits += text[at]
        at += 1
    rest, extension = text[at:], ""
    if rest:
        lowered = "".join(c.lower() if c.isascii() else c for c in rest)
        marker = next((m for m in MARKERS if lowered.startswith(m)), None)
        extension = ends_cut(rest[len(marker) :], GAPS | {ord(":")}) if marker else ""
        if not extension or set(extension) - set(DIGITS):
            return ""

    home = HOMES[country]
    abroad, (trunks, longest) = ABROAD.get(home), PLANS[home]
    number = None
    if plus:
        number = digits
    elif abroad and digits.startswith(abroad) and (abroad[0] == "0" or len(digits) > longest):
        number = digits[len(abroad) :]
    elif digits.startswith("00"):
        return ""
    if number is None:
        if digits.startswith(home) and len(digits) > longest:
            digits = digits[len(home) :]
        national = without_trunk(home, digits)
        if trunks and national == digits and len(digits) < longest:
            return ""
    else:
        if number.startswith("0"):
            return ""
        home = next((code for code in PLANS if number.startswith(code)), "")
        national = without_trunk(home, number[len(home) :]) if home else number
    if national is None:
        return ""
    number = home + national
    return "+" + number + (";" + extension if extension else "") if 7 <= len(number) <= 15 else ""


def normal_form(normaliser, country, text):
    text = "".join(map(folded, text))
    capitals = [chr(CAPITALS.get(ord(c), ord(c))) for c in text]
    if normaliser == 2:
        spaced = "".join(" " if c in "\t\n\v\f\r" else c for c in capitals)
        return " ".join(word for word in spaced.split(" ") if word)
    if normaliser == 3:
        return "".join(c for c in text if c in DIGITS) if set(map(ord, text)) <= PLAIN else ""
    if normaliser == 4:
        return telephone(text, country)
    if MASKING & set(map(ord, text)):
        return ""
    kept = [c for c in capitals if ord(c) > 127 or c.isalnum()]
    return "".join(kept[-4:]) if normaliser == 5 and len(kept) >= 4 else ""


def check_normaliser(vector, _):
    for text, form in vector["cases"]:
        normal = normal_form(vector["normaliser"], vector["country"], text)
        made = None if not text else "~" + normal if normal else "=" + text
        assert made == form, (text, made)


# ---- Section 3: records


def check_record(vector, vectors):
    vault = Vault(vectors[vector["vault"]])
    record, row = unhex(vector["record"]), vector["rows"][0]
    inputs, made = vector["inputs"], vector["intermediate"]
    r = Reader(record)
    assert r.take(5) == b"CNSR\x01"
    suite, vault_id, record_id, revision, epoch = r.int(1), r.take(16), r.take(16), r.int(4), r.int(4)
    policy, n1, n2, count = r.take(32), r.take(10), r.take(12), r.int(2)
    directory = [(r.int(2), r.int(4)) for _ in range(count)]
    header, head = record[:100], record[: r.at]
    assert [f for f, _ in directory] == sorted({f for f, _ in directory}) and 1 <= count <= 96
    assert vault_id == vault.id and hashlib.sha256(vault.policy).digest() == policy
    assert header.hex() == made["header"] and head[100:].hex() == made["directory"]

    id_key = vault.key(4, 0, 0)[1]
    assert mac(id_key, b"consignee/v1/id", vector["order_no"].encode())[:16] == record_id == unhex(row["record_id"])
    release_suite, release = vault.key(3, 0, row["generation"])
    assert unhex(row["n1"]) == n1 and row["revision"] == revision and row["state"] == 1
    bound = vault_id + record_id + n1 + le(revision, 4) + le(row["generation"], 4)
    data = b"consignee/v1/secret" + bound + le(row["put_at"], 8) + le(row["serial"], 8) + le(row["policy"], 4)
    plain = unwrap(release_suite, release, unhex(row["wrapped"]), data)
    secret, handle_key = plain[:32], plain[32:]
    assert len(plain) == 64 and data.hex() == made["row"]["associated_data"] and plain.hex() == made["row"]["plaintext"]
    stated = {"suite": suite, "vault_id": vault_id.hex(), "revision": revision, "epoch": epoch, "n1": n1.hex(),
              "n2": n2.hex(), "policy_digest": policy.hex(), "id_key": id_key.hex(), "order_secret": secret.hex(),
              "handle_key": handle_key.hex(), "own_key_id": key_id(vault_id, 0).hex(), "order_no": vector["order_no"],
              "party_key_id": key_id(vault_id, 3).hex()}
    assert {name: inputs[name] for name in stated} == stated
    of_row = {"suite": release_suite, "release_key": release.hex(), "nonce": row["wrapped"][:48]}
    assert of_row | {name: row[name] for name in ("generation", "put_at", "serial", "policy")} == inputs["row"]
    if release_suite == 1:
        assert made["row"]["wrap_subkeys"] == {"L": subkeys(release)[0].hex(), "C": subkeys(release)[1].hex()}

    canonical, disclosed, keys = b"", b"", {}
    assert len(directory) == len(inputs["parts"]) == len(made["parts"])
    for (f, length), part, on_the_way in zip(directory, inputs["parts"], made["parts"], strict=True):
        number = le(f, 2)
        epoch_suite, field_key = vault.key(1, f, epoch)
        assert epoch_suite == suite and field_key.hex() == part["field_key"]
        ticket = kdf(suite, secret, record_id[:8] + number + bytes(2))
        half = kdf(suite, field_key, n1 + bytes(2))
        key, associated, ciphertext = xor(half, ticket), head + number, r.take(length)
        cipher = AESGCM if suite == 1 else ChaCha20Poly1305
        padded = cipher(key).decrypt(n2, ciphertext, associated)
        value, end = decode(padded, part["type"])
        assert value == part["value"] and padded[:end].hex() == part["encoded"] and f == part["part"]
        for name, mine in {"A": half, "T": ticket, "DEK": key, "associated_data": associated, "padded": padded,
                           "ciphertext": ciphertext}.items():
            assert mine.hex() == on_the_way[name], name
        if suite == 1:
            assert {"L": subkeys(field_key)[0].hex(), "C": subkeys(field_key)[1].hex()} == on_the_way["field_key_subkeys"]
        if not part["facet"]:
            canonical += number + lp(padded[:end])
        disclosed += number + ticket + lp(ciphertext)
        keys[f] = commit("consignee/v1/commit/fk", vault_id, le(epoch, 4), number, bytes([suite]), field_key)
    assert r.at == len(record)
    if suite == 1:
        assert {"L": subkeys(secret)[0].hex(), "C": subkeys(secret)[1].hex()} == made["order_secret_subkeys"]

    fingerprint = mac(id_key, b"consignee/v1/same", record_id, secret, canonical)[:16]
    assert fingerprint.hex() == row["fingerprint"] == made["row"]["fingerprint"]
    assert canonical.hex() == made["row"]["canonical_values"] and record.hex() == made["record"]
    assert record_id.hex() == made["record_id"]
    party = key_id(vault_id, 3)
    for name, who in {"vault": key_id(vault_id, 0), "party": party}.items():
        assert mac(handle_key, b"consignee/v1/handle", who)[:16].hex() == made["handles"][name]
    lines = inputs["lines"].encode()
    commitments = {
        "fk": [{"part": f, "commitment": fk.hex()} for f, fk in keys.items()],
        "record": commit("consignee/v1/commit/record", record).hex(),
        "os": commit("consignee/v1/commit/os", record_id, n1, secret).hex(),
        "order": commit("consignee/v1/commit/order", handle_key, record_id, vector["order_no"].encode()).hex(),
        "disclosure": commit("consignee/v1/commit/disclosure", party, lines, header, head[100:], disclosed).hex(),
    }
    assert commitments == made["commitments"]

    desk = key_id(vault_id, 2)
    for index in vector["searched"]:
        f, number = index["field"], le(index["field"], 2) + bytes([index["normaliser"]])
        text = next(part["value"] for part in inputs["parts"] if part["part"] == f)
        normal = normal_form(index["normaliser"], index["country"], text)
        form = ("~" + normal if normal else "=" + text).encode()
        tag = mac(vault.key(2, f, epoch)[1], b"consignee/v1/index", number + bytes([index["bits"]]), form)
        assert int.from_bytes(tag[:8], "big") >> 64 - index["bits"] == index["tag"] and index["text"] == text
        query = mac(vault.key(9, 0, 0)[1], b"consignee/v1/query", desk, number, form)
        assert query.hex() == index["query"]


def check_evidence(vector, _):
    row, suite, key = vector["row"], vector["suite"], unhex(vector["release_key"])
    data = b"consignee/v1/evidence" + unhex(vector["vault_id"] + row["record_id"] + row["n1"])
    data += le(row["revision"], 4) + le(row["generation"], 4) + le(row["put_at"], 8) + le(row["serial"], 8)
    data += le(row["policy"], 4)
    plain = unwrap(suite, key, unhex(row["wrapped"]), data)
    assert plain[:32].hex() == vector["handle_key"] and plain[32:].decode() == vector["reason"]
    made = commit("consignee/v1/commit/reason", plain[:32], unhex(row["record_id"]), plain[32:])
    assert made.hex() == vector["reason_commitment"] and data.hex() == vector["associated_data"]
    assert row["wrapped"].startswith(vector["nonce"]) and vector["own_key_id"] == key_id(unhex(vector["vault_id"]), 0).hex()


# ---- Sections 7 and 8: policy, ledger


def check_row_bytes(vector, _):
    row, made = vector["row"], unhex(vector["bytes"])
    fingerprint, wrapped = unhex(row["fingerprint"]), unhex(row["wrapped"])
    widths = {"revision": 4, "generation": 4, "put_at": 8, "serial": 8, "policy": 4, "changed_at": 8}
    data = b"CNSS" + bytes([1, row["state"]]) + unhex(row["record_id"]) + unhex(row["n1"])
    data += b"".join(le(row[name], width) for name, width in widths.items())
    data += le(len(fingerprint), 1) + le(len(wrapped), 2) + fingerprint + wrapped
    assert made == data + bytes(-len(data) % 192)


def check_policy(vector, _):
    r = Reader(unhex(vector["canonical"]))
    assert r.take(23) == b"consignee/v1/policy" + le(1, 4)
    for _ in range(r.int(2)):
        r.int(2), r.str(1), r.int(1)
        for _ in range(r.int(1)):
            r.int(2), r.str(1), r.int(1)
        if r.int(1):
            r.take(11)
    r.take(2 * r.int(2))
    for _ in range(r.int(2)):
        r.str(1), r.str(1), r.take(2 * r.int(2))
        for _ in range(r.int(1)):
            r.int(2), r.str(1)
        r.take(r.int(1) * 2), r.int(8)
    assert r.at == len(r.data)
    assert hashlib.sha256(r.data).hexdigest() == vector["digest"]


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:left]) + root(leaves[left:])).digest()


def check_entry(vector, _):
    entry = unhex(vector["entry"])
    r = Reader(entry)
    assert r.take(4) == b"cns1" and len(entry) <= 4096
    found = {"type": r.int(1), "time": r.int(8), "handle": r.take(16).hex(), "party": r.take(16).hex(),
             "revision": r.int(4), "purpose": r.str(1), "policy": r.take(32).hex(),
             "parts": [r.int(2) for _ in range(r.int(1))], "commitments": [r.take(32).hex() for _ in range(r.int(1))],
             "request": r.take(32).hex(), "detail": r.take(r.int(2)).hex()}
    assert found == vector["fields"] and r.at == len(entry) and leaf(entry).hex() == vector["leaf"]
    if inputs := vector.get("commitment_inputs"):
        texts = [inputs[name].encode() for name in ("role", "name", "lines")]
        made = commit("consignee/v1/commit/party", unhex(inputs["salt"]), *texts)
        assert [made.hex()] == found["commitments"]


def check_ledger(vector, _):
    leaves = [leaf(unhex(entry)) for entry in vector["entries"]]
    assert [root(leaves[:size]).hex() for size in range(len(leaves) + 1)] == vector["roots"]
    at, heads = 0, []
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            heads.append(root(leaves[at : at + (1 << bit)]).hex())
            at += 1 << bit
    assert heads == vector["frontier"]


# ---- Section 9: aliases


def ff1_decrypt(key, tweak, numerals, radix=32):
    """FF1.Decrypt, SP 800-38G, algorithm 8."""
    n, t = len(numerals), len(tweak)
    u, v = n // 2, n - n // 2

    def num(digits):
        total = 0
        for digit in digits:
            total = total * radix + digit
        return total

    def digits(number, length):
        return [number // radix**i % radix for i in reversed(range(length))]

    a, b = numerals[:u], numerals[u:]
    width = -(-(v * (radix - 1).bit_length()) // 8)
    d = 4 * -(-width // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in reversed(range(10)):
        q = tweak + bytes((-t - width - 1) % 16) + bytes([i]) + num(a).to_bytes(width, "big")
        block = bytes(16)
        for at in range(0, len(p + q), 16):
            block = aes(key, xor(block, (p + q)[at : at + 16]))
        s = block
        for j in range(1, -(-d // 16)):
            s += aes(key, xor(block, j.to_bytes(16, "big")))
        m = u if i % 2 == 0 else v
        b, a = a, digits((num(b) - int.from_bytes(s[:d], "big")) % radix**m, m)
    return a + b


def check_alias(vector, _):
    text = vector["alias"].upper().replace("-", "").translate(str.maketrans("ILO", "110"))
    numerals = ["0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(c) for c in text]
    assert numerals[:12] == vector["cipher_numerals"] and numerals[12] == vector["check_numeral"]
    check, weight = numerals[12], 1
    for numeral in numerals[:12]:
        weight = weight << 1 ^ (0b100101 if weight & 16 else 0)
        for bit in range(5):  # check ^= weight · numeral
            if numeral >> bit & 1:
                shifted = weight
                for _ in range(bit):
                    shifted = shifted << 1 ^ (0b100101 if shifted & 16 else 0)
                check ^= shifted
    assert check == 0
    plain = ff1_decrypt(unhex(vector["alias_key"]), unhex(vector["vault_id"]), numerals[:12])
    assert plain == vector["plain_numerals"]
    block = 0
    for numeral in plain:
        block = block << 5 | numeral
    assert block.to_bytes(8, "big").hex() == vector["block"] and block & 63 == 0
    assert (block >> 42, block >> 6 & (1 << 36) - 1) == (vector["party"], vector["serial"])


# ---- Section 4: root keys


def check_unwrap(vector, key):
    assert key.hex() == vector["key"]
    assert unwrap(1, key, unhex(vector["wrapped"]), unhex(vector["associated_data"])).hex() == vector["unwrapped"]


def check_key_file(vector, _):
    key, check = vector["text"].rstrip().removeprefix("consignee-root-v1:").split("-")
    assert commit("consignee/v1/key-file", unhex(key))[:4].hex() == check == vector["checksum"]
    check_unwrap(vector, unhex(key))


def check_passphrase(vector, _):
    r = Reader(unhex(vector["parameters"]))
    assert r.int(1) == 2
    salt, memory, passes, lanes = r.take(16), r.int(4), r.int(4), r.int(4)
    argon2 = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
    check_unwrap(vector, argon2.derive(vector["passphrase"].encode()))


CHECKS = {"vault": check_vault, "record": check_record, "evidence": check_evidence,
          "row bytes": check_row_bytes, "value": check_value, "padding": check_padding, "mask": check_mask, "normaliser": check_normaliser, "policy": check_policy,
          "entry": check_entry, "ledger": check_ledger, "alias": check_alias,
          "key file": check_key_file, "passphrase": check_passphrase}


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "vectors"
    vectors = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    good = {name: vector for name, vector in vectors.items() if vector["expect"] == "opens"}
    failed, seen = 0, set()
    for name, vector in good.items():
        seen.add(vector["of"])
        try:
            CHECKS[vector["of"]](vector, vectors)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__} {error}")
    assert seen == set(CHECKS), f"no good vector of {set(CHECKS) - seen}"
    print(f"{len(good) - failed} of {len(good)} good vectors agree; {len(vectors) - len(good)} bad ones left out")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
