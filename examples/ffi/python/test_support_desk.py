"""The support desk's own tests: with Flask's client, and over HTTP with two workers that were forked.

They need the shop that make-files makes, in the folder SHOP, and the command line in CONSIGNEE.
"""

import html
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import consignee
import pytest
import support_desk

SHOP = Path(os.environ["SHOP"])
FILES = {"CONSIGNEE_VAULT": str(SHOP / "shop.vault"), "CONSIGNEE_KEY_FILE": str(SHOP / "shop.key")}
AGENTS = ["agent 17", "agent 18", "nobody of the vault"]
# Of SO-1001, SO-1004 and SO-2001, which are of one telephone number.
SECRETS = ["王小明", "13800001234", "中山路", "210000", "neighbour", "88.00 CNY", "Springfield"]


@pytest.fixture(scope="module", autouse=True)
def environment():
    os.environ.update(FILES)


@pytest.fixture(scope="module")
def client(environment):
    return support_desk.create_app(agents=AGENTS).test_client()


def post(client, path, agent="agent 17", headers=(), **form):
    answer = client.post(path, data=form, headers={"X-Agent": agent, **dict(headers)})
    return answer.status_code, answer.get_data(as_text=True)


def aliases(page):
    return re.findall(r'name="order" value="([^"]+)"', page)


def openings(order):
    """Agent and purpose of each opening and search by support that the ledger has of the order, by the command line."""
    told = subprocess.run([os.environ["CONSIGNEE"], "who-saw", "--json", order], env={**os.environ, **FILES}, capture_output=True, check=True)
    entries = [json.loads(line) for line in told.stdout.splitlines()]
    return [(entry["party"], entry["purpose"]) for entry in entries if entry.get("party_role") == "support"]


def test_a_customer_is_found_by_telephone_and_no_secret_is_shown(client):
    status, page = post(client, "/find", phone="+86 138 0000 1234")
    assert status == 200 and "3 orders of this number" in page
    assert len(aliases(page)) == 3
    for alias in aliases(page):
        before = openings(alias)
        status, shown = post(client, "/order", order=alias)
        assert status == 200 and "138****1234" in shown
        assert not [secret for secret in SECRETS if secret in page + shown]
        assert openings(alias) == [*before, ("agent 17", "after_sale")]


def test_an_order_is_opened_by_its_number_too_and_titles_are_escaped(client):
    status, page = post(client, "/order", order="SO-1006")
    assert status == 200 and html.escape('=1+1 <b>"Teatray"</b>, bamboo').replace("&quot;", "&#34;") in page
    assert "<b>" not in page and "HYPERLINK" not in page


def test_an_order_without_a_telephone_number_is_shown_as_one(client):
    with consignee.Vault.unlock(FILES["CONSIGNEE_VAULT"], key_file=FILES["CONSIGNEE_KEY_FILE"]) as vault:
        order = json.loads(Path(__file__).with_name("..").joinpath("orders.jsonl").read_text().splitlines()[0])
        vault.put({**order, "order_no": "SO-7001"})
        vault.update("SO-7001", 1, {"consignee.phone": None})
    status, page = post(client, "/order", order="SO-7001")
    assert status == 200 and "<dd>none</dd>" in page
    status, page = post(client, "/phone", order="SO-7001")
    assert status == 200 and "The order has no telephone number." in page


def test_calling_back_is_a_purpose_of_its_own_with_an_entry_of_its_own(client):
    before = openings("SO-1003")
    status, page = post(client, "/phone", agent="agent 18", order="SO-1003")
    assert status == 200 and "13912345678" in page
    assert openings("SO-1003") == [*before, ("agent 18", "call_back")]


def test_who_saw_it_names_everyone_who_was_given_something(client):
    post(client, "/order", order="SO-1002", agent="agent 18")
    status, page = post(client, "/who-saw", order="SO-1002")
    assert status == 200
    for name in ["SF Express", "Yixing Pottery", "agent 18", "courier", "delivery", "after sale", "consignee.phone:masked"]:
        assert name in page, name
    assert "Reims" not in page


def test_each_kind_of_failure_has_its_status(client):
    assert post(client, "/order", order="SO-9999")[0] == 404
    assert post(client, "/find")[0] == 400
    assert post(client, "/order", order="x" * 5000)[0] == 413
    assert client.get("/order", headers={"X-Agent": "agent 17"}).status_code == 405
    assert client.get("/nowhere", headers={"X-Agent": "agent 17"}).status_code == 404
    # A name that the proxy lets in and the vault has not.
    assert post(client, "/order", agent="nobody of the vault", order="SO-1001")[0] == 404


def test_every_status_is_of_a_kind_that_there_is(client):
    def kinds(of):
        return {error.kind for error in of.__subclasses__()}

    assert set(support_desk.STATUS) < kinds(consignee.Error)


def test_a_failure_of_the_vault_is_for_the_log_and_not_for_the_page():
    def locked_out():
        return consignee.Vault.unlock(SHOP / "shop.vault", key_file=SHOP / "courier.key")

    app = support_desk.create_app(vault=locked_out, agents=AGENTS)
    status, page = post(app.test_client(), "/order", order="SO-1001")
    assert status == 500 and "finds the reason in the log" in page


@pytest.mark.parametrize("agent", ["", "agent 99"])
def test_nobody_gets_in_without_a_name(client, agent):
    assert post(client, "/order", agent=agent, order="SO-1001")[0] == 401
    assert client.get("/").status_code == 401


def test_a_form_of_another_site_opens_nothing(client):
    before = openings("SO-1005")
    assert post(client, "/order", order="SO-1005", headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert openings("SO-1005") == before
    assert post(client, "/order", order="SO-1005", headers={"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_pages_are_kept_by_nobody_and_load_nothing_from_elsewhere(client):
    answer = client.get("/", headers={"X-Agent": "agent 17"})
    assert answer.headers["Cache-Control"] == "no-store" and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"""(?:src|href|action)="(?!/)""", answer.get_data(as_text=True))


def test_a_vault_that_was_unlocked_before_the_fork_opens_nothing(client):
    assert post(client, "/order", order="SO-1001")[0] == 200
    child = os.fork()
    if child == 0:
        status = 0
        try:
            status = post(client, "/order", order="SO-1001")[0]
        finally:
            os._exit(0 if status == 503 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert post(client, "/order", order="SO-1001")[0] == 200


# ---- Over HTTP -------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", "127.0.0.1:0", "support_desk:create_app()"]
    command[3:3] = ["--access-logfile", str(tmp_path / "access"), "--access-logformat", "%(p)s %(s)s"]
    with open(log, "w") as written:
        process = subprocess.Popen(command, env={**os.environ, **FILES, "DESK_AGENTS": ",".join(AGENTS)}, stderr=written, cwd=Path(__file__).parent)
    try:
        deadline = time.monotonic() + 30
        while not (found := re.search(r"Listening at: (http://\S+)", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield found[1], tmp_path / "access", log
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(at, path, agent, **form):
    request = urllib.request.Request(at + path, urllib.parse.urlencode(form).encode(), {"X-Agent": agent})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_two_forked_workers_open_under_the_names_of_their_agents(server):
    at, access, log = server
    before, answers = openings("SO-1001"), []

    def agent(name):
        for _ in range(20):
            answers.append(ask(at, "/order", name, order="SO-1001"))

    threads = [threading.Thread(target=agent, args=(name,)) for name in ["agent 17", "agent 18"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200} and all("138****1234" in page for _, page in answers), log.read_text()
    assert ask(at, "/order", "agent 99", order="SO-1001")[0] == 401
    workers = {line.split()[0] for line in access.read_text().splitlines()}
    assert len(workers) == 2, workers
    added = openings("SO-1001")[len(before):]
    assert sorted(added) == [("agent 17", "after_sale")] * 80 + [("agent 18", "after_sale")] * 80
    subprocess.run([os.environ["CONSIGNEE"], "doctor"], env={**os.environ, **FILES}, capture_output=True, check=True)
