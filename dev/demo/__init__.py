"""The demo: what `make run` shows, and the mailbox that it shows it from."""
