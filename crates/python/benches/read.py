"""The same as crates/ffi/examples/read.rs in Python: read.py KEY KEYRING BUNDLE ROUNDS."""

import sys
import time

import consignee

BATCH = 1000


def letters(bundle: consignee.Bundle) -> int:
    """Bytes of name, phone and city of all orders."""
    count = 0
    for first in range(0, len(bundle), BATCH):
        for order in bundle.results(first, BATCH):
            count += len(order["consignee.name"].encode()) + len(order["consignee.phone"]) + len(order["consignee.address"].city.encode())
    return count


def main() -> None:
    key, keyring, bundle, rounds = sys.argv[1:]
    party = consignee.Party.open(key)
    with open(keyring, "rb") as keys, open(bundle, "rb") as orders:
        read = party.read(party.keyring(keys.read()), orders.read())
    best, count = float("inf"), 0
    for _ in range(int(rounds)):
        begun = time.perf_counter_ns()
        count = letters(read)
        best = min(best, time.perf_counter_ns() - begun)
    print(f"{best / len(read):.1f} {count}")


main()
