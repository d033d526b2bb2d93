"""What docs/python.md shows runs, block after block, in a folder with the files of a shop."""

import pathlib
import re

from conftest import command, order

import consignee


def test_every_block_of_the_document_runs(tmp_path, monkeypatch):
    import json

    text = (pathlib.Path(__file__).parent.parent / "python.md").read_text()
    command("init", cwd=tmp_path)
    command("party", "keygen", "-o", "supplier.key", cwd=tmp_path)
    command("party", "add", "Yixing Pottery", "--role", "supplier", "--as", "Yixing", "--key", "supplier.key.pub", cwd=tmp_path)
    command("party", "add", "agent 17", "--role", "support", cwd=tmp_path)
    command("put", "-", cwd=tmp_path, given="".join(json.dumps(order(f"SO-{n}")) + "\n" for n in (1001, 1002)))
    command("vault", "card", "-o", "shop.card", cwd=tmp_path)
    command("ledger", "publish", "shop.vault", "ledger", cwd=tmp_path)
    print_ = consignee.card_fingerprint((tmp_path / "shop.card").read_text())
    command("party", "trust", "--key", "supplier.key", "shop.card", "--fingerprint", print_, cwd=tmp_path)
    command("keyring", "issue", "--party", "Yixing Pottery", "-o", "shop.keyring", cwd=tmp_path)
    command("share", "--party", "Yixing Pottery", "--purpose", "fulfilment", "SO-1001", "-o", "today.bundle", cwd=tmp_path)
    (tmp_path / "orders.jsonl").write_text(json.dumps(order("SO-1003")) + "\n")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    assert len(blocks) >= 6
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)


def test_everything_has_a_docstring():
    for name in consignee.__all__:
        if name == "__version__":
            continue
        thing = getattr(consignee, name)
        assert thing.__doc__, name
        if isinstance(thing, type) and thing.__module__.startswith("consignee"):
            for attribute, member in vars(thing).items():
                if not attribute.startswith("_") and callable(getattr(member, "__get__", None)) and not isinstance(member, (str, int)):
                    assert getattr(member, "__doc__", None), f"{name}.{attribute}"
