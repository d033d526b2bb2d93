#!/usr/bin/env python3
"""Holds examples/java/ReadBundle.java, compiled into CLASSES, against the vectors that it can read: what it prints of the good
ones, and the outcome that it names of the bad ones.

    javac -d CLASSES examples/java/ReadBundle.java
    python3 tests/interop/check_java.py CLASSES
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"


def cases(vectors):
    """(name, vector, the bundle vector whose files stand in for what it does not have)"""
    base = vectors["bundle-x25519"]
    for name, vector in vectors.items():
        of, good = vector["of"], vector["expect"] == "opens"
        if of in ("keyring", "bundle"):
            stateless = len(vector["cards"]) == 1 and "taken_before" not in vector
            stateless &= vector.get("keyring_clock", vector.get("clock")) == vector.get("clock")
            of_base = of == "bundle" or not good or (vector["key"] == base["key"] and vector["cards"] == base["cards"])
            if stateless and of_base:
                yield name, vector, base
        elif of in ("party key", "card") and not good and "passphrase" not in vector:
            yield name, vector, base


def file_of(vector):
    return vector["text"].encode() if "text" in vector else bytes.fromhex(vector["file"])


def run(classes, name, vector, base):
    """None, or what is wrong."""
    of = vector["of"]
    files = {
        "key": (vector["text"] if of == "party key" else vector.get("key", base["key"])).encode(),
        "keyring": file_of(vector) if of == "keyring" else bytes.fromhex(vector.get("keyring", base["keyring"])),
        "bundle": file_of(vector) if of == "bundle" else file_of(base),
        "card": (vector["text"] if of == "card" else vector.get("cards", base["cards"])[0]).encode(),
    }
    expected = vector["expect"]
    if expected == "opens" and vector["key"] != base["key"] and name.endswith("x-wing"):
        expected = "cannot open"  # the JDK has no X-Wing
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        clock = f"-Dnow={vector.get('clock', base['clock'])}"
        java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classes, clock, "ReadBundle"]
        done = subprocess.run(java + [str(folder / file) for file in files], capture_output=True, text=True)
    if expected != "opens":
        found = done.stderr.split(":")[0]
        fits = found == expected and done.returncode == 1 and not done.stdout
        return None if fits else f"{name}: {done.stderr or done.stdout}, and not {expected}"
    orders = vector["orders"] if of == "bundle" and "orders" in vector else base["orders"][: None if of == "keyring" else 1]
    printed = "".join(json.dumps(order, ensure_ascii=False, separators=(",", ":")) + "\n" for order in orders)
    fits = done.returncode == 0 and done.stdout == printed
    return None if fits else f"{name}: {done.stderr or done.stdout}, and not {printed}"


def main(classes):
    vectors = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(VECTORS.glob("*.json"))}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: run(classes, *case), cases(vectors)))
    wrong = list(filter(None, results))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"Java: {len(results)} vectors, {len(wrong)} read otherwise")
    return int(bool(wrong) or len(results) < 60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
