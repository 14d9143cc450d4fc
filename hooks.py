"""What runs once, when the addon is installed."""


def post_init_hook(env):
    """Fill the address index from the contacts and leads that are already there.

    Nothing is matched before: without the index no mail would find its people.
    """
    env["easycrm.email.address"]._rebuild_index()
