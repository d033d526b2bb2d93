#!/usr/bin/env python3
"""A reader of the format, made from docs/format.md alone: it shares nothing with the program, so that what it cannot read is a
fault of that page or of the program. Where the two differ, the page is to say which is right before either is changed.

    pip install cryptography        # 44 or later, for Argon2id

    reader.py open VAULT (--key FILE | --passphrase TEXT) --party NAME --purpose NAME ORDER [--now SECONDS]
    reader.py find VAULT (...) --party NAME --purpose NAME FIELD TEXT
    reader.py resolve VAULT (...) ALIAS
    reader.py verify VAULT (...) [ORDER ...]

HChaCha20 and FF1 are written out here; AES, GCM, ChaCha20-Poly1305, Argon2id and Ed25519 are those of `cryptography`. Parties
with keys of their own are in party.py. Nothing is written: the entries that an opening makes are missing in the ledger.
"""

import argparse
import base64
import contextlib
import dataclasses
import datetime
import hashlib
import hmac
import json
import math
import os
import pathlib
import re
import sqlite3
import struct
import sys
import time
import unicodedata
import urllib.parse
from collections import namedtuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


# ---- Outcomes (section 1) ------------------------------------------------------------------------------------------------
class Outcome(Exception):
    """What a reader answers where it does not open. The text is for people who test; a program shows the name alone."""

    name = ""


def named(name):
    return type(name.title().replace(" ", ""), (Outcome,), {"name": name})


Damaged, NewerFormat, CannotOpen = named("damaged"), named("newer format"), named("cannot open")
RolledBack, Shredded, RootKey = named("rolled back"), named("shredded"), named("root key")
NotPermitted, Expired, Revoked = named("not permitted"), named("expired"), named("revoked")
Limit, NotFound, InputError = named("limit"), named("not found"), named("input")


def need(condition, outcome, text):
    if not condition:
        raise outcome(text)


# ---- Conventions (section 1) ---------------------------------------------------------------------------------------------
u8, u16, u32, u64, i64 = (struct.Struct("<" + code).pack for code in "BHIQq")


def str8(s):
    return u8(len(s.encode())) + s.encode()


def lp(b):
    return u32(len(b)) + b


def text32(s):
    return lp(s.encode())


def mac(key, *parts):
    return hmac.digest(key, b"".join(parts), "sha256")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def H(label, *parts):
    return sha(lp(label.encode()), *map(lp, parts))


class Bytes:
    """A cursor that refuses to read past the end (`outcome`: F4, F18, F31, F36 ... all say damaged)."""

    def __init__(self, data, what):
        self.data, self.at, self.what = bytes(data), 0, what

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        need(n <= self.left(), Damaged, f"{self.what}: ends too early")
        self.at += n
        return self.data[self.at - n : self.at]

    def _int(self, c):
        return struct.unpack("<" + c, self.take(struct.calcsize("<" + c)))[0]

    def u8(self):
        return self._int("B")

    def u16(self):
        return self._int("H")

    def u32(self):
        return self._int("I")

    def u64(self):
        return self._int("Q")

    def i64(self):
        return self._int("q")

    def i16(self):
        return self._int("h")

    def text(self, n):
        try:
            return self.take(n).decode("utf-8")  # F31: strict, no surrogates
        except UnicodeDecodeError:
            raise Damaged(f"{self.what}: not UTF-8") from None

    def str8(self):
        return self.text(self.u8())

    def str(self):
        return self.text(self.u32())

    def lp(self):
        return self.take(self.u32())

    def numbers(self, count):
        """Part numbers, strictly ascending, none 0 (F2, F18, F37)."""
        got = [self.u16() for _ in range(count)]
        need(all(a < b for a, b in zip([0] + got, got)), Damaged, f"{self.what}: part numbers do not ascend")
        return got

    def end(self):
        need(self.left() == 0, Damaged, f"{self.what}: bytes left over")


# ---- Suites (section 2) --------------------------------------------------------------------------------------------------
def aes(key, block):
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return e.update(block) + e.finalize()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def subkeys(key):
    """L and C of suite 1's key derivation."""
    l_ = aes(key, bytes(16))
    c = int.from_bytes(l_, "big") << 1 & (1 << 128) - 1
    return l_, (c ^ (0x87 if l_[0] & 0x80 else 0)).to_bytes(16, "big")


def xaes_kdf(key, x):
    _, c = subkeys(key)
    return b"".join(aes(key, xor(bytes([0, n]) + b"X\0" + x, c)) for n in (1, 2))


def hchacha20(key, n16):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + n16))

    def rot(v, n):
        return (v << n | v >> (32 - n)) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] = rot(s[z] ^ s[x], n)

    for _ in range(10):
        for q in (
            (0, 4, 8, 12),
            (1, 5, 9, 13),
            (2, 6, 10, 14),
            (3, 7, 11, 15),
            (0, 5, 10, 15),
            (1, 6, 11, 12),
            (2, 7, 8, 13),
            (3, 4, 9, 14),
        ):
            quarter(*q)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def kdf(suite, key, x):
    return xaes_kdf(key, x) if suite == 1 else hchacha20(key, b"cns1" + x)


def aead_open(suite, key, nonce, ciphertext, ad):
    try:
        return (AESGCM if suite == 1 else ChaCha20Poly1305)(key).decrypt(nonce, ciphertext, ad)
    except (InvalidTag, ValueError):
        raise CannotOpen("wrong key or altered bytes") from None  # F48: one outcome for both


def unwrap(suite, key, wrapped, ad):
    need(len(wrapped) >= 40, CannotOpen, "wrong key or altered bytes")
    if suite == 1:
        return aead_open(1, xaes_kdf(key, wrapped[:12]), wrapped[12:24], wrapped[24:], ad)
    return aead_open(2, hchacha20(key, wrapped[:16]), bytes(4) + wrapped[16:24], wrapped[24:], ad)


# ---- Values (section 5) --------------------------------------------------------------------------------------------------
TEXT, BOOL, INTEGER, MONEY, TIMESTAMP, ADDRESS, LIST, BYTES, JSON = range(1, 10)
FIXED = {BOOL: 2, INTEGER: 9, MONEY: 13, TIMESTAMP: 16}
Money = namedtuple("Money", "digits scale currency")
Timestamp = namedtuple("Timestamp", "seconds nanos offset fraction")
Address = namedtuple("Address", "lines city region postal_code country")
Table = namedtuple("Table", "columns rows")  # rows of cells (kind, content)
Value = namedtuple("Value", "tag content")


def decimal_check(digits, scale):
    need(abs(digits) < 10**18 and scale <= 18, Damaged, "F28: digits or scale")


def is_json(text):
    """F33: one JSON text of RFC 8259, nested at most 64 deep."""
    token = re.compile(
        r'[ \t\n\r]*(?:("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*")'
        r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)|([][{}:,]))"
    )
    stack, at, want, text = [], 0, "value", text.rstrip(" \t\n\r")
    while at < len(text):
        m = token.match(text, at)
        if not m:
            return False
        at, (string, scalar, mark) = m.end(), m.groups()
        after = "end" if not stack else "more"
        if want in ("value", "value or ]") and (string or scalar):
            want = after
        elif want in ("value", "value or ]") and mark and mark in "[{":
            stack.append(mark)
            want = "value or ]" if mark == "[" else "key or }"
            if len(stack) > 64:
                return False
        elif want in ("key", "key or }") and string:
            want = ":"
        elif want == ":" and mark == ":":
            want = "value"
        elif want == "more" and mark == ",":
            want = "value" if stack[-1] == "[" else "key"
        elif (
            mark in ("]", "}")
            and want in ("more", f"value or {mark}", f"key or {mark}")
            and stack
            and stack[-1] + mark in ("[]", "{}")
        ):
            stack.pop()
            want = "more" if stack else "end"
        else:
            return False
    return want == "end"


def decode_cell(b):
    kind = b.u8()
    need(kind <= 4, Damaged, "F31: kind of cell")
    if kind == 0:
        return 0, None
    if kind == 1:
        return 1, b.str()
    if kind == 2:
        v = b.u8()
        need(v <= 1, Damaged, "F31: bool")
        return 2, bool(v)
    if kind == 3:
        return 3, b.i64()
    digits, scale = b.i64(), b.u8()
    decimal_check(digits, scale)
    return 4, (digits, scale)


def decode_content(tag, b):
    if tag == TEXT:
        return b.str()
    if tag == BOOL:
        v = b.u8()
        need(v <= 1, Damaged, "F31: bool")
        return bool(v)
    if tag == INTEGER:
        return b.i64()
    if tag == MONEY:
        digits, scale, cur = b.i64(), b.u8(), b.take(3)
        decimal_check(digits, scale)
        need(all(65 <= c <= 90 for c in cur), Damaged, "F29: currency")
        return Money(digits, scale, cur.decode())
    if tag == TIMESTAMP:
        t = Timestamp(b.i64(), b.u32(), b.i16(), b.u8())
        need(t.fraction <= 9 and t.nanos < 10**9 and t.nanos % 10 ** (9 - t.fraction) == 0, Damaged, "F30: fraction")
        need(t.offset == -32768 or -1439 <= t.offset <= 1439, Damaged, "F30: offset")
        local = t.seconds + (0 if t.offset == -32768 else t.offset * 60)
        need(-62135596800 <= local <= 253402300799, Damaged, "F30: year")
        return t
    if tag == ADDRESS:
        return Address([b.str() for _ in range(b.u8())], b.str(), b.str(), b.str(), b.str())
    if tag == LIST:
        columns = [b.str8() for _ in range(b.u8())]
        need(len(columns) <= 64, Damaged, "F17: columns")
        need(len(set(columns)) == len(columns), Damaged, "F32: two columns of one name")
        rows = b.u32()
        need(rows == 0 or columns, Damaged, "F32: rows without a column")
        need(rows * len(columns) <= b.left(), Damaged, "F32: more rows than bytes")
        need(rows <= 65536, Damaged, "F17: rows")
        return Table(columns, [[decode_cell(b) for _ in columns] for _ in range(rows)])
    if tag == BYTES:
        return b.lp()
    if tag == JSON:
        text = b.str()
        need(is_json(text), Damaged, "F33: no JSON text")
        return text
    raise Damaged("section 5: no such type")


def encode(v):
    """The one encoding of a value (F14), without padding."""
    c = v.content
    if v.tag in (TEXT, JSON):
        body = text32(c)
    elif v.tag == BOOL:
        body = u8(c)
    elif v.tag == INTEGER:
        body = i64(c)
    elif v.tag == MONEY:
        body = i64(c.digits) + u8(c.scale) + c.currency.encode()
    elif v.tag == TIMESTAMP:
        body = struct.pack("<qIhB", *c)
    elif v.tag == ADDRESS:
        body = u8(len(c.lines)) + b"".join(map(text32, c.lines + list(c[1:])))
    elif v.tag == LIST:
        cell = {0: lambda x: b"", 1: text32, 2: u8, 3: i64, 4: lambda x: i64(x[0]) + u8(x[1])}
        body = (
            u8(len(c.columns))
            + b"".join(map(str8, c.columns))
            + u32(len(c.rows))
            + b"".join(u8(k) + cell[k](x) for row in c.rows for k, x in row)
        )
    else:
        body = lp(c)
    return u8(v.tag) + body


def padded_length(n):
    if n <= 256:
        return max(32, -(-n // 16) * 16)
    e = n.bit_length() - 1
    z = e - e.bit_length()  # S = floor(log2 E) + 1 is the bit length of E
    return n + (-n & (1 << z) - 1)


def decode_value(plain, tag=None):
    """A padded value that the AEAD has authenticated (F49). `tag`: the type the policy gives the part (F16)."""
    need(len(plain) <= 1048576, Damaged, "F17: value too long")
    b = Bytes(plain, "value")
    got = b.u8()
    need(tag is None or got == tag, Damaged, "F16: another type than the policy's")
    v = Value(got, decode_content(got, b))
    need(encode(v) == plain[: b.at], Damaged, "F14: not the one encoding")
    need(len(plain) == FIXED.get(got, padded_length(b.at)) and not any(plain[b.at :]), Damaged, "F15: padding")
    return v


def show_decimal(digits, scale):
    s = str(abs(digits)).rjust(scale + 1, "0")
    return ("-" if digits < 0 else "") + (s[:-scale] + "." + s[-scale:] if scale else s)


def show_timestamp(t):
    off = 0 if t.offset == -32768 else t.offset
    d = datetime.datetime(1, 1, 1) + datetime.timedelta(seconds=t.seconds + off * 60 + 62135596800)
    frac = f".{t.nanos:09d}"[: 1 + t.fraction] if t.fraction else ""
    zone = "Z" if t.offset == -32768 else f"{'-' if off < 0 else '+'}{abs(off) // 60:02d}:{abs(off) % 60:02d}"
    return f"{d.year:04d}-{d:%m-%dT%H:%M:%S}{frac}{zone}"


def show(v):
    """Section 5, "As JSON"."""
    c = v.content
    if v.tag == MONEY:
        return {"value": show_decimal(c.digits, c.scale), "currency": c.currency}
    if v.tag == TIMESTAMP:
        return show_timestamp(c)
    if v.tag == ADDRESS:
        return c._asdict()
    if v.tag == LIST:
        return [
            {name: show_decimal(*x) if k == 4 else x for name, (k, x) in zip(c.columns, row) if k} for row in c.rows
        ]
    if v.tag == BYTES:
        return base64.b64encode(c).decode()
    if v.tag == JSON:
        try:
            return json.loads(c)
        except ValueError:  # Python reads no integers beyond 4,300 digits
            return c
    return c


# ---- Sealed record (section 3) -------------------------------------------------------------------------------------------
@dataclasses.dataclass
class Record:
    suite: int
    vault_id: bytes
    record_id: bytes
    revision: int
    epoch: int
    policy: bytes
    n1: bytes
    n2: bytes
    bound: bytes  # header and directory
    head: bytes  # all before the first ciphertext
    parts: dict
    raw: bytes  # parts: f -> ciphertext with tag


def parse_record(raw):
    b = Bytes(raw, "record")
    need(len(raw) <= 16777216, Damaged, "F3: record too long")
    need(b.take(4) == b"CNSR", Damaged, "F1: magic")
    fmt = b.u8()
    need(fmt != 0, Damaged, "F1: format 0")
    need(fmt == 1, NewerFormat, "F1: format")
    suite = b.u8()
    need(suite in (1, 2), NewerFormat, "F1: suite")
    vault_id, record_id, revision, epoch = b.take(16), b.take(16), b.u32(), b.u32()
    policy, n1 = b.take(16), b.take(10)
    n = b.u8()
    need(1 <= n <= 96, Damaged, "F22: number of parts")
    entries = [(b.u16(), int.from_bytes(b.take(3), "little")) for _ in range(n)]
    need(all(a < f for (a, _), (f, _) in zip([(0, 0)] + entries, entries)), Damaged, "F2: part numbers")
    need(all(16 <= size <= 1048592 for _, size in entries), Damaged, "F3: length of a part")
    need(12 + sum(size for _, size in entries) == b.left(), Damaged, "F4: end of the record")
    bound = raw[: b.at]
    n2 = b.take(12)
    head = raw[: b.at]
    parts = {f: b.take(size) for f, size in entries}
    return Record(suite, vault_id, record_id, revision, epoch, policy, n1, n2, bound, head, parts, raw)


def ticket_part(suite, os_, record_id, f):
    return kdf(suite, os_, record_id[:8] + u16(f) + u16(0))


def record_id_of(id_key, order_no):
    return mac(id_key, b"consignee/v1/id", order_no.encode())[:16]


def open_part(rec, f, fk, t):
    """The padded plaintext of one part from its two halves."""
    dek = xor(kdf(rec.suite, fk, rec.n1 + u16(0)), t)
    return aead_open(rec.suite, dek, rec.n2, rec.parts[f], associated_data(rec, f))


def associated_data(rec, f):
    data = rec.bound + u16(f)
    return data + bytes(-len(data) % 64)


# ---- Secret rows (section 4) ---------------------------------------------------------------------------------------------
CURRENT, PENDING, SUPERSEDED, SHREDDED = 1, 2, 3, 4


@dataclasses.dataclass
class Row:
    record_id: bytes
    n1: bytes
    revision: int
    generation: int
    state: int
    put_time: int
    serial: int
    policy: int
    changed_at: int
    fingerprint: bytes
    wrapped: bytes

    closed: bool = False  # told by the wrap

    def ad(self, vault_id):
        label = b"consignee/v1/closed" if self.closed else b"consignee/v1/secret"
        label = b"consignee/v1/evidence" if self.state == SHREDDED else label
        columns = struct.pack("<IIQQI", self.revision, self.generation, self.put_time, self.serial, self.policy)
        return (label + vault_id + self.record_id + self.n1 + columns).ljust(128, b"\0")

    def to_bytes(self):
        raw = (
            b"CNSS"
            + u8(1)
            + u8(self.state)
            + self.record_id
            + self.n1
            + struct.pack(
                "<IIQQIQBH",
                self.revision,
                self.generation,
                self.put_time,
                self.serial,
                self.policy,
                self.changed_at,
                len(self.fingerprint),
                len(self.wrapped),
            )
            + self.fingerprint
            + self.wrapped
        )
        return raw + bytes(-len(raw) % 192)


def check_row(row):
    need(1 <= row.state <= 4, Damaged, "F24: state")
    need(len(row.fingerprint) in (0, 16), Damaged, "F57: fingerprint")
    need(len(row.wrapped) <= 1096, Damaged, "F57: wrapped")
    return row


def parse_row(raw):
    """F57: a row as one string of bytes."""
    b = Bytes(raw, "secret row")
    need(b.take(4) == b"CNSS", Damaged, "F57: magic")
    fmt = b.u8()
    need(fmt != 0, Damaged, "F57: format 0")
    need(fmt == 1, NewerFormat, "F57: format")
    state = b.u8()
    row = Row(b.take(16), b.take(10), b.u32(), b.u32(), state, b.u64(), b.u64(), b.u32(), b.u64(), b"", b"")
    nf, nw = b.u8(), b.u16()
    need(nf in (0, 16) and nw <= 1096, Damaged, "F57: lengths")
    row.fingerprint, row.wrapped = b.take(nf), b.take(nw)
    need(b.left() == -b.at % 192 and not any(b.take(b.left())), Damaged, "F57: zeros at the end")
    return check_row(row)


def open_evidence(suite, release_key, row, vault_id):
    """(HK, reason) of a shredded row (F27)."""
    plain = unwrap(suite, release_key, row.wrapped, row.ad(vault_id))
    need(len(plain) >= 32, CannotOpen, "F27: less than 32 bytes")
    try:
        return plain[:32], plain[32:].decode("utf-8")
    except UnicodeDecodeError:
        raise CannotOpen("F27: reason is not UTF-8") from None


# ---- Masks and normalisers (section 6) -----------------------------------------------------------------------------------
def mask(number, v):
    """F43 (a writer's sentence; used by verify where field and facet are both opened)."""
    if number == 3:
        return v.content.city
    text = v.content
    digits = "".join(c for c in text if c in "0123456789")
    if not text:
        return ""
    if number == 1:
        return text[0] + "**" if len(text) > 1 else "**"
    if number == 2:
        if len(digits) >= 11:
            return digits[:3] + "****" + digits[-4:]
        return "****" + (digits[-2:] if len(digits) >= 4 else "")
    return "****" + (text[-4:] if len(text) >= 8 else "")


def char_set(spec):
    out = set()
    for item in spec.split():
        lo, _, hi = item.partition("-")
        out.update(range(int(lo, 16), int(hi or lo, 16) + 1))
    return frozenset(map(chr, out))


DIGITS, SPACES, MASKING = char_set("30-39"), char_set("9-D 20"), char_set("2A D7 2022 2026 2217 25CF")
PLAIN = (
    char_set(
        "9-D 20-7E A1-B1 B4-B8 BA BB BF-52F 590-6FF 900-965 E01-E4F 1E00-206F 20A0-20CF 2100-214F 2212 2600-26FF "
        "3001-3020 3041-30FF 4E00-9FFF AC00-D7A3 FEFF 1F4DE-1F4F2"
    )
    - MASKING
    - set("〇零幺一二三四五六七八九十")
)
GAPS = char_set("20 AD 2000-2015 202A-202F 205F-2069 2212 30FC FEFF") | set("()-.")
MARKERS = "extension extn ext x # 转分机 轉分機 转 轉 分机 分機 分 内线".split()


def fold_char(c):
    n = ord(c)
    if 0xFF01 <= n <= 0xFF5E:
        return chr(n - 0xFEE0)
    for base in (0x660, 0x6F0):
        if base <= n <= base + 9:
            return chr(48 + n - base)
    return " " if n in (0xA0, 0x3000) else c


def capital_char(c):
    n = ord(c)

    def inside(*ranges):
        return any(lo <= n <= hi for lo, hi in ranges)

    if inside((0x61, 0x7A), (0xE0, 0xF6), (0xF8, 0xFE), (0x3B1, 0x3C1), (0x3C3, 0x3CB), (0x430, 0x44F)):
        return chr(n - 32)
    if inside((0x450, 0x45F)):
        return chr(n - 80)
    if (
        n % 2
        and inside((0x101, 0x12F), (0x133, 0x137), (0x14B, 0x177))
        or not n % 2
        and inside((0x13A, 0x148), (0x17A, 0x17E))
    ):
        return chr(n - 1)
    single = {0xFF: 0x178, 0x3C2: 0x3A3, 0x3AC: 0x386, 0x3CC: 0x38C}
    return (
        chr(single[n])
        if n in single
        else chr(n - 37)
        if inside((0x3AD, 0x3AF))
        else chr(n - 63)
        if inside((0x3CD, 0x3CE))
        else c
    )


def fold(text):
    return "".join(map(fold_char, text))


def capital(text):
    return "".join(map(capital_char, text))


Index = namedtuple("Index", "normaliser country expect")  # of a field, section 7
Country = namedtuple("Country", "code trunks longest prefix")


def read_countries():
    """The rows of section 6, from the page itself: ({country: row}, {calling code: row})."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs/format.md"
    rows = page.read_text(encoding="utf-8").split("```countries\n")[1].split("```")[0]
    countries, codes = {}, {}
    for row in rows.split(";"):
        code, trunks, longest, prefix, *names = row.split()
        trunks = [] if trunks == "-" else trunks.split(",")
        codes[code] = Country(code, trunks, int(longest), "" if prefix == "-" else prefix)
        countries.update((name, codes[code]) for name in names)
    return countries, codes


COUNTRIES, CODES = read_countries()


def without_trunk(number, row):
    """(number without trunk prefix, whether one was cut off), or None where one could be cut off again."""

    def cut(n):
        fits = (p for p in row.trunks if n.startswith(p) and (p[0] == "0" or len(n) > row.longest))
        prefix = next(fits, None)
        return None if prefix is None else n[len(prefix) :]

    first = cut(number)
    if first is None:
        return number, False
    return None if cut(first) is not None else (first, True)


def phone(text, country):
    """The steps of section 6; None where the document says none."""
    home = COUNTRIES[country]

    def strip(s, chars):
        return s.strip("".join(chars))

    s = strip(text, SPACES | GAPS)  # 1
    if not all(c in PLAIN for c in s):
        return None
    start = next((i for i, c in enumerate(s) if c in DIGITS or c == "+"), None)  # 2
    if start is None:
        return None
    plus = s[start] == "+"
    begin = end = start + plus
    while end < len(s) and (s[end] in DIGITS or s[end] in GAPS or s[end] == "/"):
        end += 1
    number, rest = s[begin:end], s[end:]
    d = "".join(c for c in number if c in DIGITS)
    if "/" in number:
        before = sum(c in DIGITS for c in number.split("/")[0])
        if not (number.count("/") == 1 and 1 <= before <= 6 and (plus or d.startswith("0"))):
            return None
    extension = ""
    if rest:  # 3
        lower = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in rest)
        marker = next((m for m in MARKERS if lower.startswith(m)), None)
        extension = strip(rest[len(marker) :], GAPS | {":"}) if marker else ""
        if not extension or not all(c in DIGITS for c in extension):
            return None
    at_home = False  # 4
    if plus:
        n = d
    elif home.prefix and d.startswith(home.prefix) and (home.prefix[0] == "0" or len(d) > home.longest):
        n = d[len(home.prefix) :]
    elif d.startswith("00"):
        return None
    else:
        n, at_home = (d[len(home.code) :] if d.startswith(home.code) and len(d) > home.longest else d), True
    if at_home:  # 5
        got = without_trunk(n, home)
        if got is None or home.trunks and not got[1] and len(n) < home.longest:
            return None
        code, national = home.code, got[0]
    else:  # 6
        if n.startswith("0"):
            return None
        row = next((CODES[n[:k]] for k in (1, 2, 3) if n[:k] in CODES), None)
        got = without_trunk(n[len(row.code) :], row) if row else (n, False)
        if got is None:
            return None
        code, national = row.code if row else "", got[0]
    if not 7 <= len(code + national) <= 15:  # 7
        return None
    return "+" + code + national + (";" + extension if extension else "")


def form(text, index):
    """F51, F52: the form a text is compared and indexed in; None for the empty text."""
    if not text:
        return None
    normaliser, country, _ = index
    folded, normal = fold(text), None
    if normaliser == 2:
        normal = capital(re.sub(r"[\t-\r ]+", " ", folded).strip(" "))
    elif normaliser == 3 and all(c in PLAIN for c in folded):
        normal = "".join(c for c in folded if c in DIGITS)
    elif normaliser == 4:
        normal = phone(folded, country)
    elif normaliser == 5 and not any(c in MASKING for c in folded):
        kept = capital("".join(c for c in folded if not c.isascii() or c.isalnum()))
        normal = kept[-4:] if len(kept) >= 4 else None
    return "~" + normal if normal else "=" + text


# ---- Policy (section 7) --------------------------------------------------------------------------------------------------
Field = namedtuple("Field", "f name type facets index")  # facets: {f: (name, mask)}
Grant = namedtuple("Grant", "role purpose parts lines searched expires")  # lines: {f: property}
MASK_TYPE = {1: TEXT, 2: TEXT, 3: ADDRESS, 4: TEXT}
WORD = re.compile(r"[a-z][a-z0-9_]*\Z")


def is_legible(c):
    """F35 (h). Python does not know the property Alphabetic: all marks are taken for it, of which most have it."""
    return c.isalnum() or c in "_-." if c.isascii() else unicodedata.category(c)[0] in "LNM"


class Policy:
    def __init__(self, raw):
        self.raw, self.digest = bytes(raw), sha(raw)
        b = Bytes(raw, "policy")
        need(raw.startswith(b"consignee/v1/policy"), Damaged, "F34: label")
        b.take(19)
        version = b.u32()
        need(version != 0, Damaged, "F34: version 0")
        need(version == 1, NewerFormat, "F34: version")
        self.fields = [self._field(b) for _ in range(b.u16())]
        self.retired = b.numbers(b.u16())
        self.tables = [self._table(b) for _ in range(b.u16())]
        b.end()  # F18; every order below is checked, so what was read encodes again to the same bytes
        self._check()

    def _field(self, b):
        f, name, typ, facets = b.u16(), b.str8(), b.u8(), {}
        last = 0
        for _ in range(b.u8()):
            n = b.u16()
            need(n > last, Damaged, "F18: order of facets")
            last, facets[n] = n, (b.str8(), b.u8())
        has = b.u8()
        need(has <= 1, Damaged, "F18: index")
        index = None
        if has:
            number, cc, expect = b.u8(), b.take(2), b.u64()
            need(1 <= number <= 5, Damaged, "F35 (f): normaliser")
            need((cc == b"\0\0") == (number != 4), Damaged, "F18: country")
            need(number != 4 or cc.decode("latin-1") in COUNTRIES, Damaged, "F35 (f): country")
            index = Index(number, cc.decode("latin-1") if number == 4 else None, expect)
        return Field(f, name, typ, facets, index)

    def _table(self, b):
        role, purpose, parts, lines, last = b.str8(), b.str8(), b.numbers(b.u16()), {}, 0
        for _ in range(b.u8()):
            n = b.u16()
            need(n > last, Damaged, "F18: order of line rules")
            last, lines[n] = n, b.str8()
        return Grant(role, purpose, parts, lines, b.numbers(b.u8()), b.u64())

    def _check(self):
        """F35 (and the ascending orders of F18)."""

        def ascending(xs):
            return all(a < b for a, b in zip(xs, xs[1:]))

        need(ascending([0] + [x.f for x in self.fields]), Damaged, "F18: order of fields")
        need(ascending([(t.role.encode(), t.purpose.encode()) for t in self.tables]), Damaged, "F18: order of tables")
        numbers = [x.f for x in self.fields] + [n for x in self.fields for n in x.facets]
        need(
            len(set(numbers + self.retired)) == len(numbers + self.retired),
            Damaged,
            "F35 (a): a part number given twice",
        )
        need(len(numbers) <= 96 and len(self.tables) <= 256, Damaged, "F35 (b): too many")

        def one_word(s):
            return bool(WORD.match(s)) and len(s) <= 32

        need(len({x.name for x in self.fields}) == len(self.fields), Damaged, "F35 (d): two fields of one name")
        self.types, self.names, self.whole, self.indexes = {}, {}, {}, {}
        for x in self.fields:
            need(all(map(WORD.match, x.name.split("."))) and len(x.name) <= 64, Damaged, "F35 (c): name of a field")
            need(1 <= x.type <= 9, Damaged, "F35 (e): type")
            self.types[x.f], self.names[x.f] = x.type, x.name
            need(len({n for n, _ in x.facets.values()}) == len(x.facets), Damaged, "F35 (d): two facets of one name")
            for n, (name, m) in x.facets.items():
                need(one_word(name) and MASK_TYPE.get(m) == x.type, Damaged, "F35 (c), (e): facet")
                self.types[n], self.names[n], self.whole[n] = TEXT, f"{x.name}:{name}", x.f
            if x.index:
                need(x.type == TEXT and x.index.expect >= 8, Damaged, "F35 (f): index")
                self.indexes[x.f] = x.index
        self.order_no = next((x.f for x in self.fields if x.name == "order_no" and x.type == TEXT), None)
        need(self.order_no, Damaged, "F35 (e): no order_no")
        for t in self.tables:
            need(one_word(t.role) and one_word(t.purpose) and (t.parts or t.searched), Damaged, "F35 (c), (g): table")
            need(
                all(f in self.types and self.whole.get(f) not in t.parts for f in t.parts),
                Damaged,
                "F35 (g): parts of a table",
            )
            for f, prop in t.lines.items():
                need(
                    f in t.parts
                    and self.types[f] == LIST
                    and 1 <= len(prop.encode()) <= 64
                    and all(map(is_legible, prop)),
                    Damaged,
                    "F35 (h): line rule",
                )
            need(all(f in self.indexes for f in t.searched) and t.expires <= 36525 * 86400, Damaged, "F35 (i): table")

    def table(self, role, purpose):
        return next((t for t in self.tables if (t.role, t.purpose) == (role, purpose)), None)

    def facet_mask(self, n):
        return next(m for x in self.fields for k, (_, m) in x.facets.items() if k == n)


# ---- Ledger (section 8) --------------------------------------------------------------------------------------------------
TYPES = dict(
    enumerate(
        "policy epoch party grant revoke rotation put update reseal search disclosure denied close shred lost".split(),
        1,
    )
)
Entry = namedtuple("Entry", "type time handle party revision purpose policy parts commitments request detail")


def parse_entry(raw):
    b = Bytes(raw, "entry")
    need(len(raw) <= 4096, Damaged, "F36: too long")
    need(b.take(4) == b"cns1", Damaged, "F36: magic")
    typ = b.u8()
    need(typ != 0, Damaged, "F36: type 0")
    head = typ, b.u64(), b.take(16), b.take(16), b.u32(), b.str8(), b.take(32)
    e = Entry(*head, b.numbers(b.u8()), [b.take(32) for _ in range(b.u8())], b.take(32), b.take(b.u16()))  # F37
    b.end()  # F36
    return e


COMMITMENTS = {3: 1, 4: 1, 7: 3, 8: 3, 9: 3, 11: 1, 14: 1}


def parse_detail(e):
    """What the entry's type records beside its columns; None where that is not this version's (F19, F78)."""
    b = Bytes(e.detail, "detail of an entry")
    detail = {}
    try:
        if e.type == 1:
            detail["existing_orders"] = b.u8() == 1
        elif e.type == 2:
            detail |= {"epoch": b.u32(), "suite": b.u8()}
        elif e.type == 3:
            detail |= {"role": b.str8(), "key_ids": [b.take(16) for _ in range(b.u8())]}
        elif e.type == 4:
            detail["epochs"] = [b.u32() for _ in range(b.left() // 4)]
        elif e.type == 6:
            detail |= {"kind": b.u8(), "old": b.u32(), "new": b.u32()}
            detail["public_key"] = b.take(32) if detail["kind"] in (6, 7) else None
        elif e.type == 10:
            detail["query"] = b.take(32)
        elif e.type == 12:
            detail |= {"reason": b.u8(), "count": b.u32()}
        elif e.type == 14:
            detail["evidence_kept"] = b.u8() == 1
        elif e.type == 15:
            detail |= {"size": b.u64(), "root": b.take(32)}
        elif e.type not in (5, 7, 8, 9, 11, 13):
            return None
        b.end()
    except Damaged:
        return None
    count = len(e.parts) if e.type == 2 else COMMITMENTS.get(e.type, 0)
    count += detail.get("kind") == 0
    return detail if len(e.commitments) == count else None


def tree_root(leaves):
    """RFC 6962, section 2.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01", tree_root(leaves[:k]), tree_root(leaves[k:]))


def verify_head(entries, size, frontier):
    """F38."""
    leaves, roots, at = [sha(b"\0", e) for e in entries], [], 0
    need(size == len(leaves), Damaged, "F38, F77: size of the head")
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            roots.append(tree_root(leaves[at : at + (1 << bit)]))
            at += 1 << bit
    need(b"".join(roots) == frontier, Damaged, "F38: the entries do not give the head")
    return tree_root(leaves)


def party_key_id(vault_id, number, public=b""):
    return sha(b"consignee/v1/party", vault_id, u32(number), public)[:16]


def handle(hk, key_id):
    return mac(hk, b"consignee/v1/handle", key_id)[:16]


def disclosure(key_id, lines, rec, ticket, parts):
    body = b"".join(u16(f) + ticket[f] + lp(rec.parts[f]) for f in sorted(parts))
    return H("consignee/v1/commit/disclosure", key_id, lines.encode(), rec.head, body)


# ---- Alias (section 9) ---------------------------------------------------------------------------------------------------
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ff1(key, tweak, x, decrypt=False, radix=32):
    """FF1 of SP 800-38G over a list of numerals."""
    n, t = len(x), len(tweak)
    u = n // 2
    v = n - u
    b = -(-math.ceil(v * math.log2(radix)) // 8)
    d = 4 * -(-b // 4) + 4

    def num(a):
        return sum(c * radix**i for i, c in enumerate(reversed(a)))

    def numerals(y, m):
        return [y // radix**i % radix for i in reversed(range(m))]

    p = b"\x01\x02\x01" + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")

    def prf(data):
        y = bytes(16)
        for i in range(0, len(data), 16):
            y = aes(key, xor(y, data[i : i + 16]))
        return y

    a, c = x[:u], x[u:]
    for i in reversed(range(10)) if decrypt else range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + num(a if decrypt else c).to_bytes(b, "big")
        r = prf(p + q)
        s = r + b"".join(aes(key, xor(r, j.to_bytes(16, "big"))) for j in range(1, -(-d // 16)))
        y, m = int.from_bytes(s[:d], "big"), u if i % 2 == 0 else v
        if decrypt:
            a, c = numerals((num(c) - y) % radix**m, m), a
        else:
            a, c = c, numerals((num(a) + y) % radix**m, m)
    return a + c


def check_numeral(c):
    total, factor = 0, 1
    for x in c:
        factor = factor << 1 ^ (0b100101 if factor & 16 else 0)  # alpha^j
        for bit in range(5):
            if x >> bit & 1:
                y = factor
                for _ in range(bit):
                    y = y << 1 ^ (0b100101 if y & 16 else 0)
                total ^= y
    return total


def make_alias(key, vault_id, party, serial):
    need(party < 1 << 18 and serial < 1 << 36, Limit, "section 9: more than 60 bits")
    n = party << 42 | serial << 6
    c = ff1(key, vault_id, [n >> 5 * i & 31 for i in reversed(range(12))])
    s = "".join(CROCKFORD[x] for x in c + [check_numeral(c)])
    return f"{s[:4]}-{s[4:8]}-{s[8:12]}-{s[12:]}"


def read_alias(key, vault_id, text):
    """(party number, serial). F45, F21."""
    s = "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text.replace("-", ""))
    s = s.replace("I", "1").replace("L", "1").replace("O", "0")
    need(len(s) == 13 and all(c in CROCKFORD for c in s), InputError, "F45: no alias")
    c = [CROCKFORD.index(x) for x in s]
    need(check_numeral(c[:12]) == c[12], InputError, "F21: check character")
    n = 0
    for x in ff1(key, vault_id, c[:12], decrypt=True):
        n = n << 5 | x
    need(n & 63 == 0, NotFound, "F21: never made by this vault")
    return n >> 42, n >> 6 & (1 << 36) - 1


# ---- The vault folder (section 12) ---------------------------------------------------------------------------------------
APPLICATION = 0x636E7331
U32, U64 = 1 << 32, 1 << 63  # u64 are SQLite's signed integers


@dataclasses.dataclass
class Store:
    items: dict  # (kind, id, generation) -> body
    records: dict  # record id -> sealed record
    tags: list  # (field, value, record id)
    rows: list  # Row
    entries: list  # bytes, in the order of their indices
    head: tuple  # (size, frontier)
    former: list = dataclasses.field(default_factory=list)  # (entries, head) of each former ledger


def query(folder, file, *queries):
    """The rows of each query, all in one transaction, and nothing written: not even a log beside a file that has none."""
    path = os.path.join(folder, file)
    has_log = os.path.exists(path + "-wal") and os.path.getsize(path + "-wal") > 0
    uri = f"file:{urllib.parse.quote(path)}?mode=ro" + ("" if has_log else "&immutable=1")
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("BEGIN")
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            need(application == APPLICATION and layout >= 1, Damaged, f"{file}: no database of a vault")
            need(layout == 1, NewerFormat, f"{file}: layout")
            return [connection.execute(sql).fetchall() for sql in queries]
    except (sqlite3.Error, UnicodeDecodeError) as e:
        raise Damaged(f"{file}: {type(e).__name__}") from None


def check_columns(rows, *kinds):
    """Each column is a blob of so many bytes (None: of any), or a number below so much."""
    for row in rows:
        for value, (kind, size) in zip(row, kinds, strict=True):
            if kind is bytes:
                fits = isinstance(value, bytes) and size in (None, len(value))
            else:
                fits = isinstance(value, int) and 0 <= value < size
            need(fits, Damaged, "section 12: a column")
    return rows


def read_secrets(folder):
    secrets, pieces = query(
        folder,
        "secrets.db",
        "SELECT record_id, n1, revision, generation, state, put_at, serial, policy, changed_at, slot, fingerprint_size, "
        "wrapped_size FROM secret",
        "SELECT slot, bytes FROM piece",
    )
    u32_, u64_ = (int, U32), (int, U64)
    check_columns(secrets, (bytes, 16), (bytes, 10), u32_, u32_, (int, 256), u64_, u64_, u32_, u64_, u64_, u32_, u32_)
    pieces = dict(pieces)
    rows = []
    for *columns, slot, fingerprint_size, wrapped_size in secrets:
        count = -(-(fingerprint_size + wrapped_size) // 120)
        found = [pieces.get(slot + n) for n in range(min(count, 16))]
        whole = count <= 16 and all(isinstance(piece, bytes) and len(piece) == 120 for piece in found)
        joined = b"".join(found) if whole else b""
        fingerprint, wrapped = joined[:fingerprint_size], joined[fingerprint_size:][:wrapped_size]
        rows.append(Row(*columns, fingerprint, wrapped))
    return rows


def overtaken(records, rows):
    """Whether a record was read whose row is missing or superseded: it may have been replaced in between (F76)."""
    states = {(row.record_id, row.n1): row.state for row in rows}
    return any(
        states.get((record_id, sealed[78:88]), SUPERSEDED) == SUPERSEDED for record_id, sealed in records.items()
    )


def read_store(folder):
    """Everything of a vault's folder, in the order of F76."""
    (items,) = query(folder, "keys.db", "SELECT kind, id, generation, body FROM item")
    check_columns(items, (int, 256), (int, U32), (int, U32), (bytes, None))
    for _ in range(3):
        tags, records = query(folder, "orders.db", "SELECT field, value, id FROM tag", "SELECT id, sealed FROM record")
        check_columns(tags, (int, 1 << 16), (int, U64), (bytes, 16))
        check_columns(records, (bytes, 16), (bytes, None))
        rows = read_secrets(folder)
        if not overtaken(dict(records), rows):
            break
    former = []
    while os.path.exists(os.path.join(folder, name := f"ledger-{len(former) + 1}.db")):
        former.append(read_ledger(folder, name))
    items = {(kind, number, generation): body for kind, number, generation, body in items}
    return Store(items, dict(records), tags, rows, *read_ledger(folder, "ledger.db"), former)


def read_ledger(folder, file):
    """The entries, and the head."""
    entries, heads = query(
        folder,
        file,
        "SELECT idx, handle, bytes FROM entry ORDER BY idx",
        "SELECT size, frontier FROM head WHERE id = 1",
    )
    check_columns(entries, (int, U64), (bytes, 16), (bytes, None))
    check_columns(heads, (int, U64), (bytes, None))
    need(len(heads) == 1, Damaged, "section 12: no head")
    need([index for index, _, _ in entries] == list(range(len(entries))), Damaged, "F77: a gap among the entries")
    filed = all(parse_entry(entry).handle == handle_ for _, handle_, entry in entries)
    need(filed, Damaged, "F77: an entry under another handle")
    return [entry for _, _, entry in entries], heads[0]


def read_set(folder, part, registry_key, vault_id):
    """F97: the lines of a set's manifest, but for files and tag. All files are read."""
    with open(os.path.join(folder, "manifest"), encoding="ascii", newline="") as file:
        body, _, tag = file.read().rpartition("tag ")
    need(mac(registry_key, b"consignee/v1/backup", vault_id, body.encode()).hex() + "\n" == tag, Damaged, "F97: tag")
    heading, *lines = body.splitlines()
    need(heading == "consignee-backup-v1", NewerFormat, "F97: heading")
    words = [line.split(" ") for line in lines]
    files = {name: (int(size), digest) for key, name, size, digest in words[5:] if key == "file"}
    need(len(files) == len(words) - 5, Damaged, "F97: form")
    for name, stated in files.items():
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        need(stated == (len(content), sha(content).hex()), Damaged, "F97: file")
    said = dict(words[:5])
    need(said["part"] == part and said["vault"] == vault_id.hex(), Damaged, "F97: part or vault")
    return said


# ---- Root keys and items (sections 4 and 10) -----------------------------------------------------------------------------
def read_key_file(text):
    """F25."""
    m = re.fullmatch(r"consignee-root-v1:([0-9A-Fa-f]{64})-([0-9A-Fa-f]{8})", text.rstrip())
    need(m, RootKey, "F25: not a key file")
    key = bytes.fromhex(m[1])
    need(H("consignee/v1/key-file", key)[:4].hex() == m[2].lower(), RootKey, "F25: last digits")
    return key


def root_key(parameters, key_file=None, passphrase=None):
    b = Bytes(parameters, "provider parameters")
    try:
        provider = b.u8()
        if provider == 1 and key_file is not None:
            b.end()
            return read_key_file(key_file)
        if provider == 2 and passphrase is not None:
            salt, memory, passes, lanes = b.take(16), b.u32(), b.u32(), b.u32()
            b.end()
            within = 19_456 <= memory <= 4_194_304 and 2 <= passes <= 16 and 1 <= lanes <= 16
            need(within, RootKey, "F11: parameters")
            argon2 = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
            return argon2.derive(passphrase.encode("utf-8", "surrogateescape"))
    except Damaged as e:
        raise RootKey(str(e)) from None
    raise RootKey("another provider of root keys than the one given")


def wrap_ad(vault_id, place, suite, parameters):
    kind, number, generation = place
    return b"consignee/v1/wrap" + vault_id + u8(kind) + u32(number) + u32(generation) + u8(suite) + parameters


Party = namedtuple("Party", "number name role lines state added_at salt keys", defaults=[()])


def parse_party(number, body):
    try:
        o = json.loads(body.decode("utf-8"))
        keys = tuple(base64.b64decode(key, validate=True) for key in o.get("keys", []))
        p = Party(o["number"], o["name"], o["role"], o.get("as"), o["state"], o["added_at"], bytes(o["salt"]), keys)
        fits = (
            type(p.number) is int
            and isinstance(o["salt"], list)
            and len(p.salt) == 32
            and p.number == number >= 1
            and 1 <= len(p.name.encode()) <= 128
            and isinstance(p.role, str)
            and (p.lines is None or isinstance(p.lines, str))
            and p.state in ("active", "revoked")
            and isinstance(p.added_at, int)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fits = False
    need(fits, Damaged, "section 10: object of a party")
    return p


def parse_announcement(body):
    """Section 10: (size of the ledger, entry without its time, items), or None where nothing is announced."""
    if not body:
        return None
    b = Bytes(body, "announced change")
    size, entry, items = b.u64(), b.lp(), {}
    parse_entry(entry)
    while b.left():
        place = b.u8(), b.u32(), b.u32()
        items[place] = b.lp()
    return size, entry, items


# ---- What reaches an order (section 7) -----------------------------------------------------------------------------------
Reach = namedtuple("Reach", "parts searched lines end")  # lines: set of (field, property); end: seconds or infinity


def reach_of(table):
    end = table.expires or math.inf
    return Reach(frozenset(table.parts), frozenset(table.searched), frozenset(table.lines.items()), end)


def reach(policies, role, purpose, put_under):
    """R(n): what the last of these policies, each with whether it is for existing orders, lets reach an order."""
    need(put_under < len(policies), Damaged, "F53: number of no accepted policy")
    tables = [policy.table(role, purpose) for _, policy in policies]
    tables = [table and reach_of(table) for table in tables]
    have = tables[put_under]
    for k in range(put_under + 1, len(policies)):
        t, b, (existing, _) = tables[k], tables[k - 1], policies[k]
        if t is None or have is None and not existing:
            have = None
        elif not existing:
            have = Reach(t.parts & have.parts, t.searched & have.searched, t.lines | have.lines, min(t.end, have.end))
        elif have is None or b is None:
            before = b or Reach(frozenset(), frozenset(), frozenset(), 0)
            have = t._replace(parts=t.parts - before.parts, searched=t.searched - before.searched)
        else:
            have = Reach(
                t.parts - (b.parts - have.parts),
                t.searched - (b.searched - have.searched),
                t.lines | have.lines - (b.lines - t.lines),
                t.end if t.end > b.end else min(t.end, have.end),
            )
    return have


def keep_lines(value, rules, own):
    """F68."""
    if value.tag != LIST or not rules:
        return value
    columns, rows = value.content

    def fits(row):
        texts = {name: content for name, (kind, content) in zip(columns, row) if kind == 1}
        return all(texts.get(rule) == own for rule in rules)

    return value._replace(content=Table(columns, [row for row in rows if fits(row)]))


# ---- A vault -------------------------------------------------------------------------------------------------------------
class Vault:
    """What is in a store, unlocked. Makes no entries: that is for writers."""

    def __init__(self, store, key_file=None, passphrase=None, root=None):
        self.store = store
        items = store.items
        need((100, 0, 0) in items, Damaged, "F41: no item of kind 100")
        b = Bytes(items[100, 0, 0], "item 100")
        layout = b.u8()
        need(layout != 0, Damaged, "F41: layout 0")
        need(layout in (1, 2), NewerFormat, "F41: layout")
        self.id, self.parameters = b.take(16), b.take(b.left())
        self.root = root or root_key(self.parameters, key_file, passphrase)
        self.registry_key = self.unwrap_key((8, 0, 0))[1]
        self.check_tags()
        self.load_former()
        self.load_keys()
        self.load_policies_and_parties()

    def tag(self, place, body):
        kind, number, generation = place
        where = u8(kind) + u32(number) + u32(generation)
        return mac(self.registry_key, b"consignee/v1/registry", self.id, where, body)

    def all_tags(self):
        places = sorted(place for place in self.store.items if place[0] not in (40, 100))
        return b"".join(self.store.items[place][-32:] for place in places)

    def check_tags(self):
        items = self.store.items
        for place, body in items.items():
            if place[0] in (40, 100):
                need(place[1:] == (0, 0), Damaged, "F40: a second seal or vault id")
                continue
            whole = len(body) >= 32 and hmac.compare_digest(self.tag(place, body[:-32]), body[-32:])
            need(whole, Damaged, "F39: tag")
        need(items.get((40, 0, 0)) == self.tag((40, 0, 0), self.all_tags()), Damaged, "F40: seal")

    def load_former(self):
        """F93, F94: of each former ledger, size and root as it was closed, and as it was last known."""
        self.former = []
        for place in sorted(place for place in self.store.items if place[0] == 36):
            need(place[1:] == (len(self.former) + 1, 0), Damaged, "F93: a gap")
            b = Bytes(self.store.items[place][:-32], "item 36")
            state = b.u8()
            need(state <= 1, NewerFormat, "F93: state")
            closed, known, _ = (b.u64(), b.take(32)), (b.u64(), b.take(32)), b.u64()
            b.end()
            need(state == 1 and closed[0] <= known[0], Damaged, "F93: state or sizes")
            self.former.append((closed, known))
        found = [(head[0], verify_head(entries, *head)) for entries, head in self.store.former]
        need(found == [closed for closed, _ in self.former], Damaged, "F94: the former ledgers")

    def unwrap_key(self, place):
        """(suite, key) of the item at this place; F10: only under the AD of it."""
        body = self.store.items.get(place, b"")[:-32]
        need(body, Damaged, "F73: a key is missing")
        try:
            key = unwrap(1, self.root, body[1:], wrap_ad(self.id, place, body[0], self.parameters))
        except CannotOpen:
            raise RootKey("F10: the root key does not open this vault") from None
        need(len(key) == 32, RootKey, "F10: not a key")
        return body[0], key

    def load_keys(self):
        self.fk, self.ik, self.rk = {}, {}, {}  # (epoch, part) -> key, the same, generation -> (suite, key)
        self.suites = {}  # of epochs
        for place in sorted(self.store.items):
            kind, number, generation = place
            if kind == 35:
                body = self.store.items[place][:-32]
                fits = number in (1, 3) and len(body) == 27 and 1 <= body[0] <= 3 and body[1] != 0
                need(fits, Damaged, "F84: key record")
                need(body[1] <= 2, NewerFormat, "F84: suite")
            if kind not in (1, 2, 3):
                continue
            suite = self.store.items[place][0]
            need(suite != 0, Damaged, "F73: suite 0")
            need(suite <= 2, NewerFormat, "F73: suite")
            _, key = self.unwrap_key(place)
            if kind == 3:
                self.rk[generation] = suite, key
                continue
            need(1 <= number <= 65_535, Damaged, "F73: key of no part")
            need(self.suites.setdefault(generation, suite) == suite, Damaged, "F42: two suites in an epoch")
            (self.fk if kind == 1 else self.ik)[generation, number] = key
        self.id_key, self.alias_key, self.query_key = (self.unwrap_key((kind, 0, 0))[1] for kind in (4, 5, 9))

    def load_policies_and_parties(self):
        self.policies, self.parties = [], {}  # (for existing orders, Policy), number -> Party
        for place in sorted(self.store.items):
            body = self.store.items[place][:-32]
            if place[0] == 32:
                need(place[1:] == (len(self.policies), 0) and len(body) > 9, Damaged, "section 10: item of a policy")
                self.policies.append((body[8] == 1, Policy(body[9:])))
            elif place[0] == 33:
                self.parties[place[1]] = parse_party(place[1], body)
        need(self.policies, Damaged, "section 10: no policy")
        self.in_force = self.policies[-1][1]
        self.by_digest = {policy.digest[:16]: policy for _, policy in self.policies}
        self.key_ids = {party_key_id(self.id, 0): 0}
        for number in self.parties:
            self.key_ids |= dict.fromkeys(self.ids_of(number), number)

    def ids_of(self, number):
        """All key ids of a party, in their order: the first is that without a key."""
        return [party_key_id(self.id, number, key) for key in (b"", *self.parties[number].keys)]

    def announced(self):
        return parse_announcement(self.store.items.get((41, 0, 0), b"")[:-32])

    # Who may what (section 7)

    def party(self, name):
        party = next((party for party in self.parties.values() if party.name == name), None)
        need(party, NotFound, "no such party")
        return party

    def admit(self, party, purpose):
        """What is refused whatever the order is."""
        need(party.state == "active", Revoked, "F65")
        table = self.in_force.table(party.role, purpose)
        need(table, NotPermitted, "F66: no table")
        need(not table.lines or party.lines is not None, NotPermitted, "F66: no value for lines")
        return table

    def reach(self, party, purpose, row):
        return reach(self.policies, party.role, purpose, row.policy)

    @staticmethod
    def is_over(reached, row, now):
        """F67, for a row that has been opened."""
        return max(0, now - row.put_time) > reached.end or (row.closed and reached.end != math.inf)

    # Records and rows (sections 3 and 4)

    def rows_of(self, record_id):
        return [check_row(row) for row in self.store.rows if row.record_id == record_id]

    def secrets(self, row):
        """(OS, HK) of a row; of a shredded one (reason, HK), or (None, None) once the evidence is destroyed."""
        if row.state == SHREDDED and not row.wrapped:
            return None, None
        need(row.generation in self.rk, CannotOpen, "F26: no release key")
        suite, key = self.rk[row.generation]
        if row.state == SHREDDED:
            handle_key, reason = open_evidence(suite, key, row, self.id)
            return reason, handle_key
        try:
            plain = unwrap(suite, key, row.wrapped, row.ad(self.id))
        except CannotOpen:
            row.closed = not row.closed
            plain = unwrap(suite, key, row.wrapped, row.ad(self.id))
        need(len(plain) == 64, CannotOpen, "F26: not 64 bytes")
        return plain[:32], plain[32:]

    def find_record(self, record_id):
        """(record, row, OS, HK), after all that is checked before a part is opened."""
        rows = self.rows_of(record_id)
        need(rows, NotFound, "F63: no row")
        need(all(row.state != SHREDDED for row in rows), Shredded, "F24")
        need(record_id in self.store.records, NotFound, "F63: no record")
        rec = parse_record(self.store.records[record_id])
        need(rec.vault_id == self.id, CannotOpen, "F23: another vault")
        need(rec.record_id == record_id, CannotOpen, "F9: another record")
        need(rec.revision != 0, Damaged, "F58: revision 0")
        need(rec.epoch in self.suites, CannotOpen, "F23: an epoch without field keys")
        need(rec.suite == self.suites[rec.epoch], Damaged, "F8: suite")
        need(rec.policy in self.by_digest, Damaged, "F60: digest of no policy")
        row = next((row for row in rows if row.n1 == rec.n1), None)
        need(row and row.state != SUPERSEDED, RolledBack, "F12")
        need(row.revision == rec.revision, RolledBack, "F13: revision")
        return rec, row, *self.secrets(row)

    def open_parts(self, rec, os_, wanted):
        """Values of the wanted parts that the record has."""

        def plain(f):
            need((rec.epoch, f) in self.fk, CannotOpen, "F23: no field key of a part")
            return open_part(rec, f, self.fk[rec.epoch, f], ticket_part(rec.suite, os_, rec.record_id, f))

        there = [f for f in sorted(wanted) if f in rec.parts]
        if not there:
            plain(min(rec.parts))  # F59
        values = {f: decode_value(plain(f), self.in_force.types[f]) for f in there}
        order_no = values.get(self.in_force.order_no)
        fits = order_no is None or record_id_of(self.id_key, order_no.content) == rec.record_id
        need(fits, Damaged, "F9: record id of another order")
        return values

    def look_up(self, order):
        """Record id of an order by its number, or else by an alias; and whether by its number."""
        record_id = record_id_of(self.id_key, order)
        if self.rows_of(record_id):
            return record_id, True
        try:
            _, serial = read_alias(self.alias_key, self.id, order)
        except InputError:
            raise NotFound("no such order") from None
        rows = self.rows_of_serial(serial)
        need(rows, NotFound, "no such order")
        return rows[0].record_id, False

    def open_order(self, party_name, purpose, order, now=None):
        """What `open --json` prints."""
        party = self.party(party_name)
        self.admit(party, purpose)
        record_id, by_number = self.look_up(order)
        rec, row, os_, _ = self.find_record(record_id)
        reached = self.reach(party, purpose, row)
        need(reached and reached.parts, NotPermitted, "F66: reaches no part of the order")
        need(not reached.lines or party.lines is not None, NotPermitted, "F66: no value for lines")
        need(not self.is_over(reached, row, time.time() if now is None else now), Expired, "F67")
        values = self.open_parts(rec, os_, reached.parts)
        fields = {}
        for f, value in values.items():
            rules = [rule for field, rule in reached.lines if field == f]
            fields[self.in_force.names[f]] = show(keep_lines(value, rules, party.lines))
        alias = make_alias(self.alias_key, self.id, party.number, row.serial)
        called = order if by_number else alias
        return {
            "order": fields.get("order_no", called),
            "alias": alias,
            "revision": row.revision,
            "party": party.name,
            "role": party.role,
            "purpose": purpose,
            "fields": fields,
        }

    # Searches (section 4)

    def search_tag(self, epoch, f, index, form_):
        bits = index.expect.bit_length() - 2  # floor(log2 expect) - 1
        number = u16(f) + u8(index.normaliser) + u8(bits)
        tag = mac(self.ik[epoch, f], b"consignee/v1/index", number, form_.encode())
        return int.from_bytes(tag[:8], "big") >> 64 - bits

    def tags_of(self, f, text):
        """The tags under every epoch's key and every index that a policy gave the field (F56)."""
        tags = set()
        for epoch in (epoch for epoch, field in self.ik if field == f):
            for _, policy in self.policies:
                index = policy.indexes.get(f)
                if index and (form_ := form(text, index)):
                    tags.add(self.search_tag(epoch, f, index, form_))
        return tags

    def find(self, party_name, purpose, field, text, now=None):
        """(hits, how many candidates do not open). Without the entries and the count of searches, which are a writer's."""
        now = time.time() if now is None else now
        party = self.party(party_name)
        table = self.admit(party, purpose)
        f = next((f for f in self.in_force.indexes if self.in_force.names[f] == field), None)
        need(f, NotPermitted, "F56: no index in force")
        sought = form(text, self.in_force.indexes[f])
        need(sought, InputError, "F56: an empty text")
        need(f in table.searched, NotPermitted, "F66: no search by this field")
        tags = self.tags_of(f, text)
        candidates = {record_id for field_, tag, record_id in self.store.tags if field_ == f and tag in tags}
        need(len(candidates) <= 1000, Limit, "F69")
        found, unreadable = [], 0
        for record_id in candidates:
            try:
                rec, row, os_, _ = self.find_record(record_id)
                reached = self.reach(party, purpose, row)
                if not reached or f not in reached.searched or self.is_over(reached, row, now):
                    continue
                value = self.open_parts(rec, os_, [f]).get(f)
            except Outcome:
                unreadable += 1
                continue
            if value and form(value.content, self.in_force.indexes[f]) == sought:
                found.append((row.serial, row.revision))
        found.sort(reverse=True)
        aliases = [make_alias(self.alias_key, self.id, party.number, serial) for serial, _ in found]
        hits = [{"alias": alias, "revision": revision} for alias, (_, revision) in zip(aliases, found)]
        return hits, unreadable

    def query(self, party, f, text):
        index = self.in_force.indexes[f]
        key_id = party_key_id(self.id, party.number, (b"", *party.keys)[-1])
        number = u16(f) + u8(index.normaliser)
        return mac(self.query_key, b"consignee/v1/query", key_id, number, form(text, index).encode())

    # Aliases (section 9)

    def rows_of_serial(self, serial):
        rows = [row for row in self.store.rows if row.serial == serial]
        need(len({row.record_id for row in rows}) <= 1, Damaged, "F79: two orders with one serial")
        return rows

    def resolve(self, text):
        """Whose alias it is and of which record; issued is None where it cannot be told any more."""
        number, serial = read_alias(self.alias_key, self.id, text)
        need(number in self.parties, NotFound, "F46: party")
        rows = self.rows_of_serial(serial)
        need(rows, NotFound, "F46: serial")
        row = next((row for row in rows if row.state == SHREDDED), rows[0])
        _, handle_key = self.secrets(row)
        issued = None
        if handle_key:
            known = {handle(handle_key, key_id) for key_id in self.ids_of(number)}
            issued = any(entry.type in (10, 11) and entry.handle in known for entry in self.ledger())
        return {"party": self.parties[number].name, "record_id": row.record_id.hex(), "issued": issued}

    def who_saw(self, order_no):
        """F125 to F129: (ledger, index, actor's number, names of the parts, searcher's number or None) for each entry of an order."""
        rows = self.rows_of(record_id_of(self.id_key, order_no))
        need(rows, NotFound, "F63: no row")
        handle_key = next((key for _, key in map(self.secrets, rows) if key), None)
        need(handle_key, Shredded, "F128")
        ledgers = [*self.store.former, (self.store.entries, self.store.head)]
        need(all(len(entries) >= head[0] for entries, head in ledgers), Damaged, "F129")
        placed = [
            (number, index, parse_entry(raw))
            for number, (entries, _) in enumerate(ledgers, 1)
            for index, raw in enumerate(entries)
        ]
        own = party_key_id(self.id, 0)
        whose = {handle(handle_key, key_id): (key_id, None) for key_id in self.key_ids}
        for _, _, entry in placed:
            if entry.type == 3:
                ids = [entry.party, *(parse_detail(entry) or {"key_ids": []})["key_ids"]]
                whose |= {handle(handle_key, key_id): (key_id, None) for key_id in ids}
            elif entry.type == 10:
                whose.setdefault(handle(handle_key, entry.detail[:16]), (own, entry.party))
        told = []
        for number, index, entry in placed:
            if entry.handle in whose:
                actor, searcher = whose[entry.handle]
                names = self.by_digest[entry.policy[:16]].names
                parts = [names.get(part) for part in entry.parts]
                told.append((number, index, self.key_ids.get(actor), parts, self.key_ids.get(searcher)))
        return told

    # Verification

    def ledger(self):
        """F95: the entries of all ledgers."""
        former = (entry for entries, _ in self.store.former for entry in entries)
        return [parse_entry(entry) for entry in [*former, *self.store.entries]]

    def verify(self, order_numbers=()):
        """Tree, commitments, handles, tags, fingerprints, masks: (what, where, True, False or why it cannot be told) each.
        `order_numbers` are those whose commitments are to be checked though their records are gone."""
        return list(Verification(self, order_numbers).run())


A_COPY = "a copy's, which the bundle has, or a wrong commitment"
WITHOUT_EVIDENCE = "an order whose evidence is destroyed, or a wrong handle"


class Verification:
    """One reading of a ledger against all that the vault still has."""

    def __init__(self, vault, order_numbers):
        self.vault = vault
        self.names = {record_id_of(vault.id_key, number): number for number in order_numbers}
        self.rows, self.handle_keys, self.handles = {}, {}, {}
        self.entries = vault.ledger()
        searches = {entry.detail[:16] for entry in self.entries if entry.type == 10}
        for row in vault.store.rows:
            secret, handle_key = vault.secrets(row)
            self.rows.setdefault((row.record_id, row.revision), []).append((row, secret))
            if handle_key:
                self.handle_keys.setdefault(row.record_id, handle_key)
                for key_id in [*vault.key_ids, *searches]:
                    self.handles[handle(handle_key, key_id)] = row.record_id, key_id
        # Index of the entry of the newest sealing of each revision; epochs and generations, each with whether its keys are there.
        self.sealed, self.begun = {}, {}
        for index, entry in enumerate(self.entries):
            if entry.type in (7, 8, 9) and entry.handle in self.handles:
                self.sealed[self.handles[entry.handle][0], entry.revision] = index
            detail = parse_detail(entry)
            if entry.type == 2 and detail:
                self.begun[1, detail["epoch"]] = True
            elif entry.type == 6 and detail and detail["kind"] in (1, 3):
                self.begun[detail["kind"], detail["new"] or detail["old"]] = detail["new"] != 0

    def run(self):
        vault = self.vault
        verify_head(vault.store.entries, *vault.store.head)
        successors = [*(entries for entries, _ in vault.store.former), vault.store.entries][1:]
        for (_, (size, root)), entries in zip(vault.former, successors, strict=True):
            first = parse_entry(entries[0]) if entries else None
            yield "succession (F96)", size, not first or (first.type, first.detail) == (15, u64(size) + root)
        there = {1: vault.suites, 3: vault.rk}
        for (kind, number), begun in self.begun.items():
            yield "keys (F92)", number, begun == (number in there[kind])
        for record_id in vault.store.records:
            yield from self.record(record_id)
        in_force = -1
        for index, entry in enumerate(self.entries):
            in_force += entry.type == 1
            yield from self.entry(index, entry, in_force)

    def record(self, record_id):
        vault, where = self.vault, record_id.hex()
        rec, row, os_, _ = vault.find_record(record_id)
        policy = vault.by_digest[rec.policy]
        values = vault.open_parts(rec, os_, rec.parts.keys() & vault.in_force.types.keys())
        if rec.parts.keys() - values.keys():
            yield "parts of a retired number", where, "not opened"
            return
        self.names[record_id] = values[policy.order_no].content
        canonical = b"".join(u16(f) + lp(encode(value)) for f, value in values.items() if f not in policy.whole)
        fingerprint = mac(vault.id_key, b"consignee/v1/same", record_id, os_, canonical)[:16]
        yield "fingerprint", where, fingerprint == row.fingerprint
        facets = [f for f in values if f in policy.whole]
        masked = all(values[f].content == mask(policy.facet_mask(f), values[policy.whole[f]]) for f in facets)
        yield "masks (F43)", where, masked
        made = set()
        for f, index in policy.indexes.items():
            if f in values and (rec.epoch, f) in vault.ik and (form_ := form(values[f].content, index)):
                made.add((f, vault.search_tag(rec.epoch, f, index, form_)))
        yield "tags", where, made == {(f, tag) for f, tag, tagged in vault.store.tags if tagged == record_id}

    def entry(self, index, entry, in_force):
        vault = self.vault
        yield "policy digest", index, entry.policy == vault.policies[in_force][1].digest
        yield "party key id", index, entry.party in vault.key_ids
        number, detail = vault.key_ids.get(entry.party), parse_detail(entry)
        if detail is None:
            yield "detail", index, "not this version's"
        elif entry.type == 2:
            if not self.begun[1, detail["epoch"]]:
                yield "fk", index, "keys of a destroyed epoch"
                return
            yield "suite of an epoch", index, vault.suites.get(detail["epoch"]) == detail["suite"]
            for f, commitment in zip(entry.parts, entry.commitments):
                epoch = u32(detail["epoch"])
                key = vault.fk.get((detail["epoch"], f), b"")
                made = H("consignee/v1/commit/fk", vault.id, epoch, u16(f), u8(detail["suite"]), key)
                yield "fk", index, made == commitment
        elif entry.type == 3 and number in vault.parties:
            party = vault.parties[number]
            texts = (party.role, party.name, party.lines or "")
            made = H("consignee/v1/commit/party", party.salt, *(text.encode() for text in texts))
            ids = vault.ids_of(number)
            known = {"role": party.role, "key_ids": ids[: ids.index(entry.party) + 1]}
            yield "party", index, [made] == entry.commitments and detail == known
        elif entry.type == 4 and number in vault.parties:
            tables = vault.policies[in_force][1].tables
            parts = {f for table in tables if table.role == vault.parties[number].role for f in table.parts}
            before = [parse_detail(entry) for entry in self.entries[:index] if entry.type in (2, 6)]
            gone = {known["old"] for known in before if known.get("kind") == 1 and not known["new"]}
            epochs = sorted({known["epoch"] for known in before if "epoch" in known} - gone)
            yield "grant", index, entry.parts == sorted(parts) and detail["epochs"] == epochs
        elif entry.type == 6 and detail["public_key"]:
            _, seed = vault.unwrap_key((detail["kind"], 0, 0))
            public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            known = {"kind": detail["kind"], "old": 0, "new": 1, "public_key": public}
            yield "key that signs", index, detail == known
        elif entry.type == 12:
            yield "denied", index, 1 <= detail["reason"] <= 4 and detail["count"] > 0 and not any(entry.handle)
        elif any(entry.handle):
            yield "handle", index, entry.handle in self.handles or WITHOUT_EVIDENCE
            if entry.handle in self.handles:
                yield from self.of_order(index, entry, number, in_force)

    def of_order(self, index, entry, number, in_force):
        vault = self.vault
        record_id, key_id = self.handles[entry.handle]
        rows = self.rows.get((record_id, entry.revision), [])
        raw = vault.store.records.get(record_id)
        rec = parse_record(raw) if raw else None
        rec = rec if rec and rec.revision == entry.revision else None
        if index < self.sealed.get((record_id, entry.revision), 0):  # sealed anew since
            rec = None
        row, secret = next((known for known in rows if not rec or known[0].n1 == rec.n1), (None, None))
        os_ = secret if row and row.state != SHREDDED else None
        own = key_id == entry.party or (entry.type == 11 and number == 0 and entry.purpose == "search")
        yield "key id of a handle", index, own
        if entry.type in (7, 8, 9):
            record, os_commitment, order = entry.commitments
            made = rec and H("consignee/v1/commit/record", raw) == record
            yield "record", index, "record of this revision is gone" if rec is None else made
            alive = [known for known in rows if known[0].state != SHREDDED]
            made = [H("consignee/v1/commit/os", record_id, known.n1, secret) for known, secret in alive]
            gone = not alive or (rec is None and os_commitment not in made)
            yield "os", index, "OS is destroyed" if gone else os_commitment in made
            name = self.names.get(record_id)
            made = (
                name and H("consignee/v1/commit/order", self.handle_keys[record_id], record_id, name.encode()) == order
            )
            yield "order", index, "order number not known" if name is None else made
            if rec:
                yield "parts", index, entry.parts == list(rec.parts)
        elif entry.type == 11:
            if not (rec and os_):
                yield "disclosure", index, "record of this revision is gone"
                return
            lines = ""
            if number:
                party = vault.parties[number]
                reached = reach(vault.policies[: in_force + 1], party.role, entry.purpose, row.policy)
                lines = (party.lines or "") if reached and reached.lines else ""
            ticket = {f: ticket_part(rec.suite, os_, record_id, f) for f in entry.parts}
            there = rec.parts.keys() >= set(entry.parts)
            made = there and disclosure(entry.party, lines, rec, ticket, entry.parts)
            may_be_copy = number and entry.party != vault.ids_of(number)[0]
            yield "disclosure", index, [made] == entry.commitments or (may_be_copy and A_COPY)
        elif entry.type == 13:
            rows = (row for (known, _), rows in self.rows.items() for row, _ in rows if known == record_id)
            yield "closed", index, all(row.closed or row.state not in (CURRENT, PENDING) for row in rows)
        elif entry.type == 14:
            handle_key = self.handle_keys[record_id]
            made = (
                row and secret is not None and H("consignee/v1/commit/reason", handle_key, record_id, secret.encode())
            )
            yield "reason", index, "no evidence" if not made else [made] == entry.commitments


# ---- Command line --------------------------------------------------------------------------------------------------------
def print_json(value):
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode()
    except UnicodeEncodeError:  # a JSON text may name surrogates
        line = json.dumps(value, separators=(",", ":"))
    print(line, flush=True)


def run(args):
    key = open(args.key, encoding="latin-1").read() if args.key else None
    vault = Vault(read_store(args.vault), key, args.passphrase)
    if args.command == "open":
        print_json(vault.open_order(args.party, args.purpose, *args.args, now=args.now))
    elif args.command == "find":
        hits, unreadable = vault.find(args.party, args.purpose, *args.args, now=args.now)
        for hit in hits:
            print_json(hit)
        return unreadable > 0
    elif args.command == "resolve":
        print_json(vault.resolve(*args.args))
    else:
        results = vault.verify(args.args)
        for what, where, fits in results:
            if fits is not True:
                print(what, where, fits or "WRONG")
        wrong = sum(fits is False for *_, fits in results)
        print(sum(fits is True for *_, fits in results), "agree,", wrong, "do not")
        return wrong > 0
    return False


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["open", "find", "resolve", "verify"])
    parser.add_argument("vault")
    parser.add_argument("args", nargs="*")
    for name in ("--key", "--passphrase", "--party", "--purpose"):
        parser.add_argument(name)
    parser.add_argument("--now", type=int)
    args = parser.parse_intermixed_args(argv)
    try:
        return int(run(args))
    except Outcome as e:
        print(f"{e.name}: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
