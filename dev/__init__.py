"""What the commands of the Makefile stand on; nothing of it ships with the addon.

`packages`, `fetch` and `environment` run on any Python 3.11 with the standard library
alone and end by starting the project's own Python (`.venv`), in which all others run.
"""
