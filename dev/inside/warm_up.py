"""Runs inside Odoo: compiles the web client's bundles into the database."""

env = env  # noqa: F821, PLW0127 - given by Odoo's shell

env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
