#!/usr/bin/env python3
"""A million orders through the command line: imported, imported again, opened and shredded at random, and examined.

    cargo build --release && cargo build --release --example orders
    python3 tests/million.py [ORDERS] [FOLDER]

Prints rates and peak memory. Fails where memory grows with the number of orders, an order does not open as it was put, a
second import changes anything, or a shredded order opens. Takes minutes and about 3 GB of disk for a million.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(__file__).resolve().parent.parent / "target" / "release"
SAMPLE = 1000


def run(*command, lines=None, expect=0):
    """Runs the program on lines of input; returns what it printed, seconds, and its peak memory in MB."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write("".join(f"{line}\n" for line in lines or []).encode())
        given.seek(0)
        begun = time.monotonic()
        child = subprocess.Popen([BIN / "consignee", *map(str, command)], stdin=given, stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != expect:
            sys.exit(f"{' '.join(map(str, command))}: exit status {child.returncode}, not {expect}\n{err.read(2000).decode()}")
        return out.read().decode(), seconds, used.ru_maxrss / 1024


def generate(path, count):
    with open(path, "wb") as file:
        subprocess.run([BIN / "examples" / "orders", str(count)], stdout=file, check=True)


def put(file, expect=0):
    printed, seconds, memory = run("put", "--json", file, expect=expect)
    tally = json.loads(printed)
    total = sum(tally.values())
    print(f"  {tally}: {seconds:.1f} s, {total / seconds:,.0f} orders/s, peak memory {memory:.1f} MB", flush=True)
    return tally, memory


def lines_at(path, wanted):
    with open(path) as file:
        return {n: json.loads(line) for n, line in enumerate(file) if n in wanted}


def flat(order):
    """The fields of an order as `open --json` names them."""
    consignee = order.pop("consignee")
    return order | {f"consignee.{name}": value for name, value in consignee.items()}


def main(count, folder):
    rng = random.Random(count)
    big, small = folder / "orders.jsonl", folder / "tenth.jsonl"
    generate(big, count)
    generate(small, count // 10)
    key = folder / "shop.key"
    os.environ["CONSIGNEE_KEY_FILE"] = str(key)

    print("importing a tenth", flush=True)
    run("init", folder / "tenth.vault")
    os.environ["CONSIGNEE_VAULT"] = str(folder / "tenth.vault")
    _, small_memory = put(small)

    print("importing all")
    run("init", folder / "shop.vault")
    os.environ["CONSIGNEE_VAULT"] = str(folder / "shop.vault")
    run("party", "add", "shop", "--role", "platform")
    run("party", "add", "SF Express", "--role", "courier")
    tally, memory = put(big)
    assert tally == {"stored": count, "unchanged": 0, "failed": 0}, tally
    # What SQLite keeps in memory may still fill up after a tenth; what grows with the orders would be ten times as much.
    assert memory < small_memory + 32, f"import memory grew from {small_memory:.1f} to {memory:.1f} MB"

    print("importing all again")
    tally, again = put(big)
    assert tally == {"stored": 0, "unchanged": count, "failed": 0}, tally
    assert again < small_memory + 32, f"{again:.1f} MB"

    print(f"opening {SAMPLE} at random")
    chosen = rng.sample(range(count), SAMPLE)
    orders = {order["order_no"]: flat(order) for order in lines_at(big, set(chosen)).values()}
    shop = ["open", "--json", "--party", "shop", "--purpose", "operation", "-"]
    printed, seconds, memory = run(*shop, lines=orders)
    print(f"  {seconds:.2f} s, peak memory {memory:.1f} MB", flush=True)
    views = [json.loads(line) for line in printed.splitlines()]
    assert [view["order"] for view in views] == list(orders)
    assert all(view["fields"] == orders[view["order"]] for view in views)

    print(f"finding {SAMPLE // 50} by telephone number")
    run("party", "add", "agent", "--role", "support")
    for order in list(orders.values())[: SAMPLE // 50]:
        printed, _, _ = run("find", "--json", "--party", "agent", "--purpose", "after_sale", f"consignee.phone={order['consignee.phone']}")
        assert printed.count("\n") >= 1, "an order was not found by its telephone number"

    print(f"shredding {SAMPLE // 10} at random")
    shredded = rng.sample(list(orders), SAMPLE // 10)
    _, seconds, memory = run("shred", "--yes", "--reason", "asked for", "-", lines=shredded)
    print(f"  {seconds:.2f} s, peak memory {memory:.1f} MB", flush=True)
    printed, _, _ = run(*shop, lines=orders, expect=1)
    left = {json.loads(line)["order"] for line in printed.splitlines()}
    assert left == set(orders) - set(shredded), "another set of orders opens than was left"

    print("importing all again")
    tally, _ = put(big, expect=1)
    assert tally == {"stored": 0, "unchanged": count - len(shredded), "failed": len(shredded)}, tally

    print("doctor")
    _, seconds, memory = run("doctor")  # another exit status than 0 where it finds a fault
    print(f"  {seconds:.1f} s, peak memory {memory:.1f} MB")
    sizes = {file.name: file.stat().st_size for file in (folder / "shop.vault").iterdir()}
    print("  " + ", ".join(f"{name} {size / count:,.0f} B/order" for name, size in sorted(sizes.items()) if name.endswith(".db")))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        main(count, pathlib.Path(folder))
    print("passed")
