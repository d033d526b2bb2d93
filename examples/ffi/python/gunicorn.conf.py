"""Two workers that share the program's memory and no vault."""

workers = 2
threads = 4
preload_app = True


def post_worker_init(worker):
    """Unlocks at the start of each worker, so that a wrong key is found now and not by the first customer who calls."""
    worker.wsgi.config["VAULT"]()
