# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything works on a fresh Debian 12, as root, with python3, make and git only.
# JOBS parts run at the same time; SCENARIO=x chooses one molecule scenario.

PYTHON := /usr/bin/python3
JOBS ?= 2
PARTS := $(PYTHON) -B tools/run_parts.py --jobs $(JOBS)

.DEFAULT_GOAL := help
.PHONY: bench bootstrap clean demo docs help images lint molecule sanity shell soak test typecheck unit

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):.*##/\1:/p' Makefile

bootstrap:  ## Install what the parts need: system packages, .venv, tree, key
	@$(PYTHON) -B tools/bootstrap.py

images: bootstrap  ## Build the test hosts' images, where they are not up to date
	@$(PYTHON) -B tools/images.py

demo: images  ## Do the whole job on a real systemd host with real applications
	@$(PYTHON) -B tools/with_environment.py tools/demo.py

test: bootstrap  ## Run all parts below: lint, docs, typecheck, unit, sanity, molecule
	@$(PARTS)

docs: bootstrap  ## Check the documentation and build the site of it in docs/build/html
	@$(PARTS) docs

lint typecheck unit: bootstrap  ## Run one part
	@$(PARTS) $@

sanity: images  ## Run ansible-test sanity with the oldest and the newest ansible-core
	@$(PARTS) $@

molecule: images  ## Run all scenarios, or SCENARIO=x
	@$(PARTS) $(if $(SCENARIO),$(SCENARIO:%=molecule:%),molecule)

bench: images  ## Measure the modules and the deploys, or ONLY=modules, ONLY=oom, ONLY=report, ONLY=deploy
	@$(PYTHON) -B tools/with_environment.py tests/bench/run.py $(ONLY:%=--only %)

soak: bootstrap  ## Run what takes longer than make test may
	@$(PARTS) soak

shell: images  ## Open a shell with the environment of the parts
	@$(PYTHON) -B tools/with_environment.py "$${SHELL:-/bin/bash}"

clean:  ## Remove what the parts made: .venv, caches, test hosts, images
	@$(PYTHON) -B tools/clean.py
