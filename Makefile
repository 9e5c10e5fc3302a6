PYTHON ?= python3
PARAMS ?= params/infant_cardiac_surgery.yml
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup report test test-slow check format doctor bench lock

help:      ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
setup:     ## install everything into .venv, run nothing
	@$(PYTHON) bootstrap.py setup
report:    ## evaluate one collaborative to HTML and PDF: make report PARAMS=params/x.yml
	@$(PYTHON) bootstrap.py report $(PARAMS) $(ARGS)
test:      ## the test suite (fast tier: under 12 minutes on two cores)
	@$(PYTHON) bootstrap.py test $(ARGS)
test-slow: ## what the fast tier leaves out: recovery, New York and demo fits
	@$(PYTHON) bootstrap.py test-slow $(ARGS)
check:     ## format, lint, types; changes nothing
	@$(PYTHON) bootstrap.py check
format:    ## put the code into its format
	@$(PYTHON) bootstrap.py format
doctor:    ## what this machine has, what is missing and how to get it
	@$(PYTHON) bootstrap.py doctor
bench:     ## benchmarks, as ratios within one run
	@$(PYTHON) bootstrap.py bench $(ARGS)
lock:      ## maintainers: resolve the requirements anew
	@$(PYTHON) bootstrap.py lock
