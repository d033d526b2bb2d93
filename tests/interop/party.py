#!/usr/bin/env python3
"""A party's side of the format, made from section 14 of docs/format.md alone: keys, cards, keyrings, bundles.

    pip install cryptography        # 47 or later for X-Wing; before, only X25519 is opened

    party.py read --key FILE [--passphrase TEXT] --card FILE --keyring FILE BUNDLE [--now SECONDS]
    party.py fingerprint FILE

HPKE is written out here; X25519, Ed25519 and ML-KEM-768 are those of `cryptography`. What was seen is kept as long as the
program runs, and not on a disk.
"""

import argparse
import base64
import binascii
import dataclasses
import hashlib
import json
import sys
import time
from collections import namedtuple

import reader as R
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from reader import Bytes, need, sha, u8, u16

try:
    from cryptography.hazmat.primitives.asymmetric import mlkem
except ImportError:
    mlkem = None

X25519, X_WING = 0x0020, 0x647A
PUBLIC_LENGTH, ENCAPSULATED = {X25519: 32, X_WING: 1216}, {X25519: 32, X_WING: 1120}
WHITE = " \t\n\f\r"


class NoMlKem(Exception):
    """This Python has no ML-KEM: a file for X-Wing is checked up to its signature."""


# ---- Texts ---------------------------------------------------------------------------------------------------------------
Line = namedtuple("Line", "prefix label binary")
PRIVATE = Line("consignee-party-v1:", "consignee/v1/party-key", binascii.unhexlify)
LOCKED = Line("consignee-party-locked-v1:", "consignee/v1/party-locked", binascii.unhexlify)


def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:  # bits that are left over
        raise ValueError
    return raw


PUBLIC = Line("consignee-party-pub-v1:", "consignee/v1/party-pub", unbase64)
CARD = Line("consignee-vault-card-v1:", "consignee/v1/vault-card", unbase64)


def read_line(line, text, outcome):
    text = text.rstrip(WHITE)
    need(text.startswith(line.prefix), outcome, "F99: prefix")
    need(text[-9:-8] == "-", outcome, "F99: no checksum")
    try:
        raw = line.binary(text[len(line.prefix) : -9])
    except ValueError:
        raise outcome("F99: digits") from None
    need(R.H(line.label, raw)[:4].hex() == text[-8:].lower(), outcome, "F99: checksum")
    return raw


def fingerprint(line, raw):
    bits = int.from_bytes(R.H("consignee/v1/fingerprint", line.label.encode(), raw), "big") >> 156
    text = "".join(R.CROCKFORD[bits >> 5 * at & 31] for at in reversed(range(20)))
    return "-".join(text[at : at + 4] for at in range(0, 20, 4))


# ---- Keys ----------------------------------------------------------------------------------------------------------------
P25519 = 2**255 - 19


def point(raw):
    """(x, y) of an Ed25519 point (RFC 8032, section 5.1.3), or None."""
    y, sign = int.from_bytes(raw, "little") & (1 << 255) - 1, raw[31] >> 7
    d, p = -121665 * pow(121666, -1, P25519), P25519
    square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(square, (p + 3) // 8, p)
    if x * x % p != square:
        x = x * pow(2, (p - 1) // 4, p) % p
    if x * x % p != square or y >= p or (x == 0 and sign):
        return None
    return (p - x if x & 1 != sign else x), y


def is_strict_point(raw):
    """A point, and not one of small order: three doublings do not give (0, 1)."""
    at = point(raw)
    if at is None:
        return False
    d, p = -121665 * pow(121666, -1, P25519), P25519
    for _ in range(3):
        x, y = at
        both = d * x * x * y * y
        at = 2 * x * y * pow(1 + both, -1, p) % p, (y * y + x * x) * pow(1 - both, -1, p) % p
    return at != (0, 1)


def verifies(public, message, signature):
    if not (is_strict_point(public) and is_strict_point(signature[:32])):
        return False
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def dh(private, public):
    """X25519; None where it gives zeros."""
    try:
        private = x25519.X25519PrivateKey.from_private_bytes(private)
        return private.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None


def dh_public(private):
    return x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def x_wing_keys(seed):
    """(ML-KEM private key, X25519 private key)"""
    if mlkem is None:
        raise NoMlKem
    expanded = hashlib.shake_256(seed).digest(96)
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


@dataclasses.dataclass
class PartyKey:
    kem: int
    opening: bytes
    seed: bytes
    raw: bytes

    def kem_public(self):
        if self.kem == X25519:
            return dh_public(self.opening)
        ml_kem, x = x_wing_keys(self.opening)
        return ml_kem.public_key().public_bytes_raw() + dh_public(x)

    def public(self):
        signing = ed25519.Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return u16(self.kem) + self.kem_public() + signing


def locked_key(raw, passphrase):
    """(private key's bytes, key, AD)"""
    need(len(raw) >= 29, R.Damaged, "F99: no parameters")
    parameters, wrapped = raw[:29], raw[29:]
    key, ad = R.root_key(parameters, passphrase=passphrase), LOCKED.label.encode() + parameters
    return R.unwrap(1, key, wrapped, ad), key, ad


def read_private(text, passphrase=None):
    if text.startswith(LOCKED.prefix):
        raw = read_line(LOCKED, text, R.Damaged)
        need(passphrase is not None, R.CannotOpen, "the key is locked")
        raw = locked_key(raw, passphrase)[0]
    else:
        raw = read_line(PRIVATE, text, R.Damaged)
    need(len(raw) == 66, R.Damaged, "F99: length")
    kem = int.from_bytes(raw[:2], "little")
    need(kem in PUBLIC_LENGTH, R.NewerFormat, "F99: KEM")
    return PartyKey(kem, raw[2:34], raw[34:], raw)


def is_reduced(ml_kem):
    """FIPS 203, section 7.2: coefficients of 12 bits below 3,329."""
    triples = (int.from_bytes(ml_kem[at : at + 3], "little") for at in range(0, 1152, 3))
    return all(three & 0xFFF < 3329 and three >> 12 < 3329 for three in triples)


def read_public(text):
    """Bytes of a public key that may be sealed to."""
    raw = read_line(PUBLIC, text, R.InputError)
    kem, rest = int.from_bytes(raw[:2], "little"), raw[2:]
    need(kem in PUBLIC_LENGTH, R.NewerFormat, "F99: KEM")
    need(len(rest) == PUBLIC_LENGTH[kem] + 32, R.InputError, "F99: length")
    need(is_strict_point(rest[-32:]), R.InputError, "F99: Ed25519 key")
    fits = dh(b"\1" * 32, rest[:32]) is not None if kem == X25519 else is_reduced(rest)
    need(fits, R.InputError, "F99: key of the KEM")
    return raw


Card = namedtuple("Card", "vault_id issuing ledger origin")


def is_origin(text):
    return 1 <= len(text) <= 255 and all(33 <= byte <= 126 and byte != 43 for byte in text)


def read_card(text):
    raw = read_line(CARD, text, R.InputError)
    card = Card(raw[:16], raw[16:48], raw[48:80], raw[80:])
    fits = is_origin(card.origin) and is_strict_point(card.issuing) and is_strict_point(card.ledger)
    need(fits, R.InputError, "F99: card")
    return card


# ---- HPKE (RFC 9180) -----------------------------------------------------------------------------------------------------
def be16(number):
    return number.to_bytes(2, "big")


def extract(salt, suite, label, x):
    return R.mac(salt or bytes(32), b"HPKE-v1", suite, label, x)


def expand(key, suite, label, x, length):
    return R.mac(key, be16(length), b"HPKE-v1", suite, label, x, b"\1")[:length]


def shared_x25519(e, pk, agreed):
    kem = b"KEM" + be16(X25519)
    return expand(extract(b"", kem, b"eae_prk", agreed), kem, b"shared_secret", e + pk, 32)


def decapsulate(key, e):
    if key.kem == X25519:
        agreed = dh(key.opening, e)
        need(agreed, R.CannotOpen, "F101: encapsulated key")
        return shared_x25519(e, key.kem_public(), agreed)
    (ml_kem, x), c, y = x_wing_keys(key.opening), e[:1088], e[1088:]
    agreed = dh(x, y) or bytes(32)
    label = bytes.fromhex("5c2e2f2f5e5c")
    return hashlib.sha3_256(ml_kem.decapsulate(c) + agreed + y + dh_public(x) + label).digest()


def key_schedule(kem, shared, info):
    """(key, nonce) of the first message."""
    suite = b"HPKE" + be16(kem) + be16(1) + be16(2)
    context = b"\0" + extract(b"", suite, b"psk_id_hash", b"") + extract(b"", suite, b"info_hash", info)
    secret = extract(shared, suite, b"secret", b"")
    return expand(secret, suite, b"key", context, 32), expand(secret, suite, b"base_nonce", context, 12)


def derive_key_pair(ikm):
    """RFC 9180, section 7.1.3, X25519."""
    kem = b"KEM" + be16(X25519)
    return expand(extract(b"", kem, b"dkp_prk", ikm), kem, b"sk", b"", 32)


# ---- Envelope ------------------------------------------------------------------------------------------------------------
Envelope = namedtuple("Envelope", "kem vault_id party policy origin outside e ciphertext signed signature")
LONGEST = {b"CNSK": 1 << 20, b"CNSB": 64 << 20}


def binary(raw):
    """The bytes of either form."""
    if raw.startswith(b"CNS"):
        return raw
    try:
        return unbase64(raw.translate(None, WHITE.encode()).decode("ascii"))
    except ValueError:
        raise R.Damaged("F100: neither form") from None


def parse_envelope(magic, raw):
    need(len(raw) <= LONGEST[magic], R.Damaged, "F100: too long")
    b = Bytes(raw, "envelope")
    need(b.take(4) == magic, R.Damaged, "F100: magic")
    fmt = b.u8()
    need(fmt != 0, R.Damaged, "F100: format 0")
    need(fmt == 1, R.NewerFormat, "F100: format")
    kem = b.u16()
    need(kem in ENCAPSULATED, R.NewerFormat, "F100: KEM")
    vault_id, party, policy, origin = b.take(16), b.take(16), b.take(32), b.take(b.u8())
    need(is_origin(origin), R.Damaged, "F100: origin")
    outside = b.data[: b.at]
    e, ciphertext = b.take(ENCAPSULATED[kem]), b.lp()
    need(len(ciphertext) >= 16, R.Damaged, "F100: no tag")
    signed, signature = b.data[: b.at], b.take(64)
    b.end()
    return Envelope(kem, vault_id, party, policy, origin, outside, e, ciphertext, signed, signature)


def signed_message(env):
    return b"consignee/v1/file" + sha(env.signed)


def open_envelope(env, card, key):
    need(verifies(card.issuing, signed_message(env), env.signature), R.CannotOpen, "F101: signature")
    need(env.kem == key.kem, R.CannotOpen, "F101: another KEM")
    aes_key, nonce = key_schedule(env.kem, decapsulate(key, env.e), env.outside)
    return R.aead_open(1, aes_key, nonce, env.ciphertext, b"")


# ---- Keyring and bundle --------------------------------------------------------------------------------------------------
Keyring = namedtuple("Keyring", "vault_id issued party role parts suites keys")  # parts: f -> (type, name)
Bundle = namedtuple("Bundle", "issued expires party role purpose permitted copies")
Copy = namedtuple("Copy", "index revision expires alias record ticket")


def parse_keyring(raw, vault_id):
    b = Bytes(raw, "keyring")
    issued, party, role, parts, suites, keys, last = b.u64(), b.str8(), b.str8(), {}, {}, {}, 0
    count = b.u8()
    need(1 <= count <= 96, R.Damaged, "F102: number of parts")
    for _ in range(count):
        f, kind, name = b.u16(), b.u8(), b.str8()
        need(f > last and 1 <= kind <= 9, R.Damaged, "F102: part")
        last, parts[f] = f, (kind, name)
    count, last = b.u16(), -1
    need(1 <= count <= 1024, R.Damaged, "F102: number of epochs")
    for _ in range(count):
        epoch, suite = b.u32(), b.u8()
        need(suite in (1, 2), R.NewerFormat, "F102: suite")
        need(epoch > last, R.Damaged, "F102: order of epochs")
        last, suites[epoch], before = epoch, suite, 0
        for _ in range(b.u8()):
            f = b.u16()
            need(f in parts and f > before, R.Damaged, "F102: key")
            before, keys[epoch, f] = f, b.take(32)
    b.end()
    return Keyring(vault_id, issued, party, role, parts, suites, keys)


def is_alias(text):
    digits = [R.CROCKFORD.find(c) for c in text.replace("-", "")]
    whole = len(digits) == 13 and min(digits) >= 0 and R.check_numeral(digits[:12]) == digits[12]
    return whole and [len(group) for group in text.split("-")] == [4, 4, 4, 1]


def parse_bundle(raw, vault_id):
    b = Bytes(raw, "bundle")
    head = b.u64(), b.u64(), b.str8(), b.str8(), b.str8()
    permitted, copies = b.numbers(b.u8()), []
    count = b.u32()
    need(1 <= count <= 65536, R.Damaged, "F104: number of copies")
    for _ in range(count):
        index, revision, expires, alias = b.u64(), b.u32(), b.u64(), b.text(16)
        need(is_alias(alias), R.Damaged, "F104: alias")
        record = R.parse_record(b.lp())
        need(record.revision == 0 and record.vault_id == vault_id, R.Damaged, "F104: record")
        copies.append(Copy(index, revision, expires, alias, record, {f: b.take(32) for f in record.parts}))
    b.end()
    return Bundle(*head, permitted, copies)


def open_copy(keyring, bundle, copy, now):
    """What `read --json` prints."""
    need(copy.expires == 0 or now <= copy.expires, R.Expired, "F106: copy")
    record, fields = copy.record, {}
    need(record.epoch in keyring.suites, R.CannotOpen, "F105: epoch")
    need(record.suite == keyring.suites[record.epoch], R.Damaged, "F107: suite")
    for f, ticket in copy.ticket.items():
        need((record.epoch, f) in keyring.keys, R.CannotOpen, "F105: part")
        kind, name = keyring.parts[f]
        plain = R.open_part(record, f, keyring.keys[record.epoch, f], ticket)
        fields[name] = R.show(R.decode_value(plain, kind))
    return {
        "order": fields.get("order_no", copy.alias),
        "alias": copy.alias,
        "revision": copy.revision,
        "party": bundle.party,
        "role": bundle.role,
        "purpose": bundle.purpose,
        "fields": fields,
    }


# ---- Request -------------------------------------------------------------------------------------------------------------
Request = namedtuple("Request", "vault_id key_digest origin time nonce purpose parts aliases signed signature raw")


def parse_request(raw):
    raw = binary(raw)
    need(len(raw) <= 2 << 20, R.Damaged, "F115: too long")
    b = Bytes(raw, "request")
    need(b.take(4) == b"CNSR", R.Damaged, "F115: magic")
    fmt = b.u8()
    need(fmt != 0, R.Damaged, "F115: format 0")
    need(fmt == 1, R.NewerFormat, "F115: format")
    vault_id, key_digest, origin = b.take(16), b.take(32), b.take(b.u8())
    need(is_origin(origin), R.Damaged, "F115: origin")
    time_, nonce, purpose, parts = b.u64(), b.take(16), b.str8(), b.numbers(b.u8())
    need(purpose, R.Damaged, "F115: purpose")
    need(all(f > before for before, f in zip([0, *parts], parts)), R.Damaged, "F115: parts")
    count = b.u32()
    need(1 <= count <= 65536, R.Damaged, "F115: number of aliases")
    aliases = [b.text(16) for _ in range(count)]
    need(all(map(is_alias, aliases)), R.Damaged, "F115: alias")
    signed, signature = b.data[: b.at], b.take(64)
    b.end()
    return Request(vault_id, key_digest, origin, time_, nonce, purpose, parts, aliases, signed, signature, raw)


def request_message(request):
    return b"consignee/v1/request" + sha(request.signed)


def request_hash(request):
    return R.H("consignee/v1/commit/request", request.raw)


def check_request(request, card, public):
    """What a vault with this card and a party with this public key says of it."""
    need((request.vault_id, request.origin) == (card.vault_id, card.origin), R.InputError, "F116: another vault")
    need(request.key_digest == sha(public), R.NotFound, "F116: no such key")
    need(verifies(public[-32:], request_message(request), request.signature), R.CannotOpen, "F116: signature")


# ---- The shopper's slip --------------------------------------------------------------------------------------------------
SLIP = Line("consignee-slip-v1:", "consignee/v1/slip", unbase64)
Slip = namedtuple("Slip", "order_no put_entry root checkpoint key signature threshold witnesses")


def root_through(proof, leaf, index, size):
    """RFC 6962, section 2.1.1, from the leaf up; None for a proof of another length."""
    if index >= size:
        return None
    left, start, end = [], 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        left.append(index >= middle)
        start, end = (middle, end) if index >= middle else (start, middle)
    if len(proof) != len(left):
        return None
    for sibling, is_left in zip(proof, reversed(left)):
        leaf = sha(b"\1", sibling, leaf) if is_left else sha(b"\1", leaf, sibling)
    return leaf


def read_slip(text):
    """F150, and what F151 makes of it."""
    need(len(text.encode()) <= 2048, R.Limit, "F150: too long")
    b = Bytes(read_line(SLIP, text, R.Damaged), "slip")
    need(b.take(4) == b"CNSL", R.Damaged, "F150: magic")
    fmt = b.u8()
    need(fmt != 0, R.Damaged, "F150: format 0")
    need(fmt == 1, R.NewerFormat, "F150: format")
    vault_id, name = b.take(16), b.str8()
    default = "consignee/" + vault_id.hex()
    need(name != default, R.Damaged, "F150: name spelt out")
    ledger, key, hk, record_id, order_no = b.u32(), b.take(32), b.take(32), b.take(16), b.str8()
    need(ledger and 1 <= len(order_no.encode()) <= 128, R.Damaged, "F150: ledger or order number")
    time_, revision, policy, count = b.take(8), b.take(4), b.take(32), b.u8()
    need(count <= 96, R.Damaged, "F150: parts")
    parts = b.numbers(count)
    record, os_, index, size, count = b.take(32), b.take(32), b.u64(), b.u64(), b.u8()
    need(count <= 63, R.Damaged, "F150: hashes")
    proof = [b.take(32) for _ in range(count)]
    signature, threshold, count = b.take(64), b.u8(), b.u8()
    witnesses = [(b.str8(), b.take(32), b.u64(), b.take(64)) for _ in range(count)]
    need(threshold <= count and (threshold == 0) == (count == 0), R.Damaged, "F150: threshold")
    b.end()
    own = R.party_key_id(vault_id, 0)
    order = R.H("consignee/v1/commit/order", hk, record_id, order_no.encode())
    entry = b"cns1\7" + time_ + R.handle(hk, own) + own + revision + b"\0" + policy + bytes([len(parts)])
    entry += b"".join(f.to_bytes(2, "little") for f in parts) + b"\3" + record + os_ + order + bytes(34)
    root = root_through(proof, sha(b"\0", entry), index, size)
    need(root, R.Damaged, "F151: length of the proof")
    checkpoint = f"{name or default}/{ledger}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    return Slip(order_no, entry, root, checkpoint, key, signature, threshold, witnesses)


def check_slip(slip):
    """F151. The threshold is met: all that stand there must verify, and there are not fewer."""
    need(verifies(slip.key, slip.checkpoint, slip.signature), R.CannotOpen, "F151: the ledger's signature")
    for _, key, time_, signature in slip.witnesses:
        text = f"cosignature/v1\ntime {time_}\n".encode() + slip.checkpoint
        need(verifies(key, text, signature), R.CannotOpen, "F151: a cosignature")


# ---- What is revealed of a bundle ----------------------------------------------------------------------------------------
Revealed = namedtuple("Revealed", "vault_id origin party copies")
RevealedCopy = namedtuple("RevealedCopy", "index alias record tickets")  # tickets: f -> T


def fields_of(node, **types):
    fits = isinstance(node, dict) and node.keys() == types.keys()
    fits = fits and all(type(node[name]) is kind for name, kind in types.items())
    need(fits, R.Damaged, "F124: names")
    return [node[name] for name in types]


def parse_revealed(text):
    try:
        node = json.loads(text)
        fits = isinstance(node, dict) and node.get("format") == "consignee-revealed"
        need(fits and type(node.get("version")) is int and node["version"] > 0, R.Damaged, "F124: format")
        need(node["version"] == 1, R.NewerFormat, "F124: version")
        shape = {"format": str, "version": int, "vault": str, "origin": str, "party_key_id": str, "copies": list}
        _, _, vault, origin, party, copies = fields_of(node, **shape)
        vault, party = bytes.fromhex(vault), bytes.fromhex(party)
        need(len(vault) == len(party) == 16 and is_origin(origin.encode()), R.Damaged, "F124: outside")
        need(1 <= len(copies) <= 65536, R.Damaged, "F124: number of copies")
        return Revealed(vault, origin, party, [parse_revealed_copy(copy, vault) for copy in copies])
    except ValueError:
        raise R.Damaged("F124: no JSON, base64 or digits") from None


def parse_revealed_copy(node, vault):
    index, alias, record, tickets = fields_of(node, index=int, alias=str, record=str, tickets=list)
    need(0 <= index < 1 << 64 and is_alias(alias), R.Damaged, "F124: copy")
    record, found = R.parse_record(unbase64(record)), []
    need(record.revision == 0 and record.vault_id == vault, R.Damaged, "F124: record")
    for ticket in tickets:
        f, t = fields_of(ticket, part=int, t=str)
        found.append((f, unbase64(t)))
    fits = [f for f, _ in found] == list(record.parts) and all(len(t) == 32 for _, t in found)
    need(fits, R.Damaged, "F124: tickets")
    return RevealedCopy(index, alias, record, dict(found))


class Holder:
    """A party with its pins, and what it has seen."""

    def __init__(self, key, cards):
        self.key, self.cards = key, {card.vault_id: card for card in cards}
        self.seen, self.newest = {}, {}  # vault id -> time

    def open(self, magic, raw):
        env = parse_envelope(magic, binary(raw))
        need(env.vault_id in self.cards, R.NotFound, "F101: not pinned")
        return env, open_envelope(env, self.cards[env.vault_id], self.key)

    def now(self, vault_id, *times):
        self.seen[vault_id] = max(self.seen.get(vault_id, 0), *times)
        return self.seen[vault_id]

    def keyring(self, raw, clock):
        env, payload = self.open(b"CNSK", raw)
        keyring = parse_keyring(payload, env.vault_id)
        need(keyring.issued >= self.newest.get(env.vault_id, 0), R.RolledBack, "F103")
        self.newest[env.vault_id] = keyring.issued
        self.now(env.vault_id, clock, keyring.issued)
        return keyring

    def bundle(self, keyring, raw, clock):
        """(bundle, time at which it is opened)"""
        env, payload = self.open(b"CNSB", raw)
        need(keyring.vault_id == env.vault_id, R.CannotOpen, "F105: another vault")
        bundle = parse_bundle(payload, env.vault_id)
        now = self.now(env.vault_id, clock, bundle.issued)
        need(bundle.expires == 0 or now <= bundle.expires, R.Expired, "F106: bundle")
        return bundle, now

    def read(self, keyring, raw, clock):
        """Each order, or the outcome of it."""
        bundle, now = self.bundle(keyring, raw, clock)
        for copy in bundle.copies:
            try:
                yield open_copy(keyring, bundle, copy, now)
            except R.Outcome as e:
                yield e


# ---- Command line --------------------------------------------------------------------------------------------------------
def file(path):
    with open(path, "rb") as opened:
        return opened.read()


def run(args):
    if args.command == "fingerprint":
        text = file(args.file).decode()
        line = CARD if text.startswith(CARD.prefix) else PUBLIC
        print(fingerprint(line, read_line(line, text, R.InputError)))
        return False
    card = read_card(file(args.card).decode())
    holder = Holder(read_private(file(args.key).decode("latin-1"), args.passphrase), [card])
    clock, failed = int(time.time()) if args.now is None else args.now, False
    keyring = holder.keyring(file(args.keyring), clock)
    for order in holder.read(keyring, file(args.file), clock):
        if isinstance(order, R.Outcome):
            failed = True
            print(f"{order.name}: {order}", file=sys.stderr)
        else:
            R.print_json(order)
    return failed


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["read", "fingerprint"])
    parser.add_argument("file")
    for name in ("--key", "--passphrase", "--card", "--keyring"):
        parser.add_argument(name)
    parser.add_argument("--now", type=int)
    args = parser.parse_intermixed_args(argv)
    if args.command == "read" and not (args.key and args.card and args.keyring):
        parser.error("read needs --key, --card and --keyring")
    try:
        return int(run(args))
    except R.Outcome as e:
        print(f"{e.name}: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
