"""A support desk: finds a customer's orders by the telephone number, opens what support may see, and tells who saw an order.

    gunicorn --config gunicorn.conf.py 'support_desk:create_app()'

with CONSIGNEE_VAULT, CONSIGNEE_KEY_FILE and DESK_AGENTS="agent 17,agent 18" in the environment. Agents are parties of the vault in the role
support; every opening and every search is in the ledger under the name of the agent who asked.

Leaves out: signing in. A proxy in front has done that and gives the agent's name as the header X-Agent, which it takes off whatever comes from
outside.
"""

import os
import threading

import consignee
from flask import Flask, abort, current_app, g, render_template, request

# What the caller is told of each kind of error. All others are for the operator: a wrong key, files that are damaged or rolled back.
STATUS = {
    "not permitted": 403,
    "expired": 403,
    "revoked": 403,
    "not found": 404,
    "absent": 404,
    "shredded": 410,
    "input": 400,
    "limit": 429,  # of what this service does, searches alone have one: the agent's budget
    "locked": 503,
    "storage": 503,
}

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LateVault:
    """A vault that is unlocked when it is first asked for, and so in the worker: SQLite's locks do not survive a fork. Where the process that
    forks has unlocked it before, the workers open nothing (Locked)."""

    def __init__(self, unlock):
        self._unlock, self._lock, self._vault = unlock, threading.Lock(), None

    def __call__(self):
        with self._lock:
            if self._vault is None:
                self._vault = self._unlock()
            return self._vault


def unlock():
    return consignee.Vault.unlock(
        os.environ["CONSIGNEE_VAULT"],
        key_file=os.environ["CONSIGNEE_KEY_FILE"],
        checkpoint=os.environ.get("CONSIGNEE_CHECKPOINT"),
    )


def create_app(vault=None, agents=None):
    app = Flask(__name__)
    app.config["VAULT"] = vault or LateVault(unlock)
    app.config["AGENTS"] = agents or os.environ.get("DESK_AGENTS", "").split(",")
    app.config["MAX_CONTENT_LENGTH"] = 4096
    app.before_request(sign_in)
    app.after_request(add_headers)
    app.register_error_handler(consignee.Error, failed)
    for status in (400, 401, 403, 404, 405, 413, 500):
        app.register_error_handler(status, refused)
    app.add_url_rule("/", view_func=desk, methods=["GET"])
    # Telephone and order numbers are in bodies: paths end up in logs. And what has an entry in the ledger is nothing that a browser
    # should fetch beforehand.
    for path, function in (("/find", find), ("/order", order), ("/phone", phone), ("/who-saw", who_saw)):
        app.add_url_rule(path, view_func=function, methods=["POST"])
    return app


def sign_in():
    """Whose name the entries will have. Nobody acts for an agent from a page of another site."""
    g.agent = None
    if request.endpoint == "static":
        return
    agent = request.headers.get("X-Agent", "")
    if agent not in current_app.config["AGENTS"] or not agent:
        abort(401, "Sign in first.")
    g.agent = agent
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403, "This form is of another site.")


def add_headers(response):
    response.headers.update(HEADERS)
    return response


def the_vault():
    return current_app.config["VAULT"]()


def asked_for(field):
    return request.form.get(field, "").strip() or abort(400, f"There is no {field}.")


# ---- Pages. The purpose is the page's, never the caller's to choose. -------------------------------------------------------------------


def desk():
    return render_template("desk.html")


def find():
    """The customer has told the number: it is searched for, and not shown again."""
    hits = the_vault().find(g.agent, "after_sale", "consignee.phone", asked_for("phone"))
    return render_template("found.html", hits=hits)


def order():
    view = the_vault().open(g.agent, "after_sale", asked_for("order"))
    return render_template("order.html", view=view, order=view.order)


def phone():
    """The whole number is a purpose of its own, with an entry of its own: who calls back has a reason."""
    view = the_vault().open(g.agent, "call_back", asked_for("order"))
    return render_template("phone.html", view=view, order=view.order)


def who_saw():
    """What a customer asks for: who was given what of the order, when and why."""
    name = asked_for("order")
    seen = [entry for entry in the_vault().who_saw(name)["entries"] if entry["disclosure"]]
    return render_template("who_saw.html", seen=seen, order=name)


# ---- Failures --------------------------------------------------------------------------------------------------------------------------


def failed(error):
    """Errors hold no value, key or order number: they may be shown and logged. Views may not."""
    status = STATUS.get(error.kind, 500)
    if status < 500:
        return render_template("failed.html", title=error.kind, text=str(error)), status
    current_app.logger.error("%s: %s", error.kind, error)
    return render_template("failed.html", title=error.kind, text="The operator finds the reason in the log."), status


def refused(error):
    return render_template("failed.html", title=error.name.lower(), text=error.description), error.code
