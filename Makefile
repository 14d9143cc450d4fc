# Everything from a bare Debian machine (root or sudo); elsewhere ODOO_PATH names an Odoo 19.
.PHONY: help run test lint format pot bench pictures shell clean distclean
.DEFAULT_GOAL := help

help:
	@echo 'make run     the demo: Odoo 19 with a synced mailbox; another port: PORT=8070 make run;'
	@echo '             a mailbox that one signs in to: PROVIDER=gmail or outlook make run'
	@echo 'make test    every test; some of them: make test T=/easycrm_mail:TestX or T=test_parser'
	@echo 'make lint    the gates: style, faults, translations; make format sets the style,'
	@echo '             make pot renews the template of translations'
	@echo 'make bench   the figures, into bench/results.json; some of them: make bench B=ingest'
	@echo 'make pictures  the pictures of docs/, taken anew; some of them: make pictures P=rules'
	@echo 'make shell   an Odoo shell on a scratch database'
	@echo 'make clean   start over: databases, demo mailbox, logs; make distclean: the downloads too'

run:
	@dev/go run

test:
	@dev/go test $(T)

lint:
	@dev/go lint

format:
	@dev/go format

pot:
	@dev/go pot

bench:
	@dev/go bench $(B)

pictures:
	@dev/go pictures $(P)

shell:
	@dev/go shell

clean:
	@dev/go clean

distclean:
	@dev/go clean --all
