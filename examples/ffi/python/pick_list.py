#!/usr/bin/env python3
"""A supplier's pick list: what of a bundle's orders is to be taken from the shelves, in all and order by order.

    pick_list.py --key yixing.key --keyring yixing.keyring [--csv] today.bundle

A supplier is sent its own lines of each order: the lines of other suppliers, names, telephone numbers and addresses are not in the bundle.
--try PART shows what becomes of asking for one of them. Exit status 1 where an order does not open; the others are printed.
"""

import argparse
import csv
import os
import sys
import unicodedata
from collections import defaultdict

import consignee


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--key", required=True, metavar="FILE", help="the supplier's private key")
    parser.add_argument("--keyring", required=True, metavar="FILE", help="the newest keyring of the shop")
    parser.add_argument("--csv", action="store_true", help="for a spreadsheet: a row for each line of an order")
    parser.add_argument("--try", dest="part", metavar="PART", help="asks each order for this part, and prints no list")
    parser.add_argument("bundle")
    return parser.parse_args()


def lines_of(bundle):
    """The alias of each order with its lines. Says so of each order that does not open, and goes on."""
    orders, failed = [], 0
    for number, result in enumerate(bundle.results(), 1):
        if isinstance(result, consignee.Error):
            # Messages hold no content and no key.
            print(f"pick_list: order {number} of the bundle: {result}", file=sys.stderr)
            failed += 1
        else:
            orders.append((result.alias, result["items"]))
    return orders, failed


def columns(text):
    """How wide it is on a screen: a Chinese character has two columns."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


TURNS_DIRECTION = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text):
    """Without what would steer a terminal or turn the direction of writing: a title may be a stranger's."""
    steers = lambda c: unicodedata.category(c) == "Cc" or unicodedata.bidirectional(c) in TURNS_DIRECTION
    return "".join("\N{REPLACEMENT CHARACTER}" if steers(c) else c for c in text)


def padded(text, width):
    return text + " " * (width - columns(text))


def print_rows(rows):
    """Rows of quantity, SKU and title."""
    rows = [(quantity, printable(sku), printable(title)) for quantity, sku, title in rows]
    wide = max((columns(sku) for _, sku, _ in rows), default=0)
    for quantity, sku, title in rows:
        print(f"[ ] {quantity:>5} x {padded(sku, wide)}  {title}")


def print_list(orders):
    totals, titles = defaultdict(int), {}
    for _, lines in orders:
        for line in lines:
            totals[line["sku"]] += line["quantity"]
            titles[line["sku"]] = line["title"]
    print(f"From the shelves, for {len(orders)} orders")
    print_rows((totals[sku], sku, titles[sku]) for sku in sorted(totals))
    for alias, lines in orders:
        print(f"\nOrder {alias}")
        print_rows((line["quantity"], line["sku"], line["title"]) for line in lines)


def cell(text):
    """A text that a spreadsheet does not take for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_csv(orders):
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["order", "sku", "title", "quantity"])
    for alias, lines in orders:
        table.writerows([alias, cell(line["sku"]), cell(line["title"]), line["quantity"]] for line in lines)


def try_part(bundle, part):
    failed = 0
    for view in bundle:
        try:
            view[part]
            print(f"{part}: opens")
        except consignee.Error as error:
            print(f"{part}: {error.kind}")
            failed += 1
    return failed


def main():
    given = arguments()
    try:
        bundle = consignee.read(given.key, given.keyring, given.bundle, passphrase=os.environ.get("CONSIGNEE_KEY_PASSPHRASE"))
    except (consignee.Error, OSError) as error:
        sys.exit(f"pick_list: {error}")
    if given.part:
        return 1 if try_part(bundle, given.part) else 0
    orders, failed = lines_of(bundle)
    (write_csv if given.csv else print_list)(orders)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
