"""Reads what section 15 of docs/format.md publishes: notes, checkpoints, tiles, proofs and policies, with hashlib and an Ed25519."""

import base64
import hashlib
import struct

import reader as R
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, COSIGNATURE = 1, 4


def sha(data):
    return hashlib.sha256(data).digest()


def damaged(what):
    return R.Damaged(what)


def need(condition, what):
    if not condition:
        raise damaged(what)


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as e:
        raise damaged("base64") from e
    need(base64.b64encode(raw).decode() == text, "base64 in another form")
    return raw


def decimal(text):
    need(text.isascii() and text.isdigit() and str(int(text)) == text, "a number")
    return int(text)


def hash_of(text):
    raw = unbase64(text)
    need(len(raw) == 32, "a hash")
    return raw


# ---- Tree


def leaf(entry):
    return sha(b"\0" + entry)


def node(left, right):
    return sha(b"\1" + left + right)


def split(n):
    return 1 << (n - 1).bit_length() - 1


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def through(proof, hash_, index, size):
    """RFC 6962: the root that the hashes lead to, from the leaf up."""
    if size == 1:
        need(not proof, "a hash too many")
        return hash_
    need(proof, "a hash is missing")
    k, last = split(size), proof[-1]
    if index < k:
        return node(through(proof[:-1], hash_, index, k), last)
    return node(last, through(proof[:-1], hash_, index - k, size - k))


def consistent(proof, old, old_root, size):
    """RFC 6962, section 2.1.2: the roots of both sizes that the hashes lead to."""

    def walk(proof, old, size, is_whole):
        if old == size:
            if is_whole:
                need(not proof, "a hash too many")
                return old_root, old_root
            need(len(proof) == 1, "the number of hashes")
            return proof[0], proof[0]
        need(proof, "a hash is missing")
        k, last = split(size), proof[-1]
        if old <= k:
            first, second = walk(proof[:-1], old, k, is_whole)
            return first, node(second, last)
        first, second = walk(proof[:-1], old - k, size - k, False)
        return node(last, first), node(last, second)

    return walk(proof, old, size, True)


# ---- Notes, keys, policies


def parse_key(text):
    name, key_id, key = text.split("+", 2)
    raw = unbase64(key)
    assert sha(name.encode() + b"\n" + raw)[:4].hex() == key_id and raw[0] in (LOG, COSIGNATURE)
    return name, bytes.fromhex(key_id), raw[0], raw[1:]


def parse_note(note):
    text, blank, lines = note.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "no signatures")
    signatures = []
    for line in lines[:-1].split("\n"):
        words = line.split(" ")
        need(len(words) == 3 and words[0] == "\u2014", "a signature")
        raw = unbase64(words[2])
        need(len(raw) > 4, "a signature")
        signatures.append((words[1], raw[:4], raw[4:]))
    need(len(signatures) <= 100, "signatures")
    return text + "\n", signatures


def parse_checkpoint(note):
    text, signatures = parse_note(note)
    lines = text[:-1].split("\n")
    need(len(lines) >= 3 and all(lines), "lines")
    return text, signatures, lines[0], decimal(lines[1]), hash_of(lines[2])


def signed_by(text, signatures, key):
    """None, or the time of a cosignature, 0 of a log's own signature."""
    name, key_id, kind, public = key
    found = None
    for line_name, line_id, raw in signatures:
        if (line_name, line_id) != (name, key_id):
            continue
        time, message = 0, text.encode()
        if kind == COSIGNATURE:
            (time,), raw = struct.unpack(">Q", raw[:8]), raw[8:]
            message = b"cosignature/v1\ntime %d\n" % time + message
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
        except InvalidSignature as e:
            raise R.CannotOpen("signature") from e
        found = max(time, found or 0)
    return found


def parse_policy(text):
    lines = [line.split() for line in text.splitlines()]
    logs = [parse_key(words[1]) for words in lines if words[0] == "log"]
    witnesses = {words[1]: parse_key(words[2]) for words in lines if words[0] == "witness"}
    quorum = next(words[1] for words in lines if words[0] == "quorum")
    return logs, witnesses, quorum


def check(note, policy, is_seen=True):
    """A checkpoint that the policy takes: its size and root."""
    text, signatures, origin, size, top = parse_checkpoint(note)
    logs, witnesses, quorum = policy
    log = next((log for log in logs if log[0] == origin), None)
    if log is None or signed_by(text, signatures, log) is None:
        raise R.CannotOpen("no signature of the log")
    if is_seen and signed_by(text, signatures, witnesses[quorum]) is None:
        raise R.NotPermitted("quorum")
    return size, top


# ---- Vectors


def entries_of(first, size):
    return [first[:13] + struct.pack("<Q", n) + first[21:] for n in range(size)]


def files_of(entries):
    leaves, files = list(map(leaf, entries)), {}
    for start in range(0, len(entries), 256):
        some = entries[start : start + 256]
        name = f"{start // 256:03}" + (f".p/{len(some)}" if len(some) < 256 else "")
        files[f"tile/0/{name}"] = sha(b"".join(leaves[start : start + 256])).hex()
        files[f"tile/entries/{name}"] = sha(b"".join(struct.pack(">H", len(e)) + e for e in some)).hex()
    full = [root(leaves[start : start + 256]) for start in range(0, len(leaves) // 256 * 256, 256)]
    files[f"tile/1/000.p/{len(full)}"] = sha(b"".join(full)).hex()
    return files


def proof_head(text):
    head, blank, note = text.partition("\n\n")
    need(blank, "no checkpoint")
    lines = head.split("\n")
    return lines, note


def check_published(vector, same):
    policy = parse_policy(vector["policy"])
    size, top = check(vector["checkpoint"], policy)
    entries = entries_of(bytes.fromhex(vector["first_entry"]), vector["size"])
    leaves = list(map(leaf, entries))
    need((size, top) == (len(entries), root(leaves)), "the root")
    for name, digest in files_of(entries).items():
        same(name, digest, vector["files"][name])
    for proof in vector["proofs"]:
        lines, note = proof_head(proof)
        need(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index "), "a proof")
        index = decimal(lines[1][6:])
        proved = check(note, policy)
        need(index < proved[0], "index")
        need(through(list(map(hash_of, lines[2:])), leaf(entries[index]), index, proved[0]) == proved[1], "root")
    lines, note = proof_head(vector["request"])
    old = decimal(lines[0].removeprefix("old "))
    size, top = check(note, policy, is_seen=False)
    old_root = root(leaves[:old])
    need(consistent(list(map(hash_of, lines[1:])), old, old_root, size) == (old_root, top), "consistency")
