PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/installed

.PHONY: help demo test proof bench load pictures lint messages backup restore lock clean
.DEFAULT_GOAL := help
# A machine may forbid Python to keep bytecode. Then each of hundreds of processes would compile everything again: 1.2 s.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## Start everything on this machine (PORT=8000); Ctrl-C stops it
	@$(PY) -m interview_platform.demo

JOBS ?= 3

test: $(STAMP) ## Run every test, in JOBS=3 processes (docs/testing.md)
	$(PY) -m pytest --ignore=tests/benchmarks -n $(JOBS) $(ARGS)

proof: $(STAMP) ## Before a release: the long forms of tests, then the load
	$(PY) -m pytest --ignore=tests/benchmarks -m proof $(ARGS)
	$(MAKE) load ARGS=

bench: $(STAMP) ## Measure latencies, throughput and memory
	$(PY) -m pytest tests/benchmarks -s $(ARGS)

CANDIDATES ?= 1000
MINUTES ?= 5

load: $(STAMP) ## Hold interviews: CANDIDATES=1000 at once, MINUTES=5; ADDRESS= and API_KEY= of a system that is up
	@$(PY) -m tests.benchmarks.load --candidates $(CANDIDATES) --minutes $(MINUTES) --address "$(ADDRESS)" $(ARGS)

pictures: $(STAMP) ## Make the pictures of docs/recruiter.md and docs/reviewer.md from a demo (needs Chromium)
	$(PY) -m tests.pictures $(ARGS)

lint: $(STAMP) ## Check style, types and the direction of imports
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	DEBUG=true $(VENV)/bin/mypy # its Django plugin loads the settings, which otherwise need a secret key
	$(VENV)/bin/lint-imports --no-cache

messages: $(STAMP) ## Collect texts for translation, and compile what is translated (needs gettext)
	DEBUG=true $(PY) manage.py makemessages --all --no-obsolete --add-location file --ignore .venv --ignore 'tests/*'
	DEBUG=true $(PY) manage.py compilemessages --ignore .venv

backup: ## Back up PostgreSQL and object storage (docs/backups.md)
	@deploy/backups/backup.sh $(ARGS)

restore: ## Restore both at a second: TIME='2026-11-30 03:00:00+01:00' (docs/backups.md)
	@TIME="$(TIME)" OVERWRITE="$(OVERWRITE)" REHEARSAL="$(REHEARSAL)" deploy/backups/restore.sh

# The stamp is newer than the lock once everything is installed, so a second start installs nothing.
$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11; name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --no-deps --requirement requirements.lock
	@touch $@

define LOCK_HEADER
# Every package at the version that was tested, for Python 3.11 to 3.13. Written by `make lock`; do not edit.
#
# Install it with `pip install --no-deps -r requirements.lock`. The list is complete, with one exception meant
# as such: of pipecat-ai only the Smart Turn ONNX file is used, found by its path, so the 290 MB of its own
# dependencies stay away (and without --no-deps pip refuses the list: pipecat-ai asks for an older protobuf).
endef
export LOCK_HEADER

UV := .venv-lock/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --no-header

# The images of deploy/docker. A web process loads no model of recognition or synthesis; of faster-whisper it
# reads one small file, so what that package itself depends on stays away.
define IMAGE_LOCK_HEADER
# The runtime packages of an image, with the checksum of each file. Written by `make lock`; do not edit.
endef
export IMAGE_LOCK_HEADER

VENDORS := --extra openai --extra elevenlabs --extra aws
ENGINES := ctranslate2 filelock fsspec hf-xet httpcore2 httpx2 httpx2-jsfetch huggingface-hub pathvalidate \
  piper-tts pocketsphinx sounddevice tokenizers tqdm truststore
# $(1): the target of the Dockerfile; $(2): further arguments. Versions are those of requirements.lock.
image_lock = { echo "$$IMAGE_LOCK_HEADER"; $(COMPILE) --no-annotate --generate-hashes --constraints requirements.lock \
  $(VENDORS) $(2) pyproject.toml; } > deploy/docker/$(1).lock.new && mv deploy/docker/$(1).lock.new deploy/docker/$(1).lock

lock: ## Resolve the dependencies again (LOCK_ARGS=--upgrade for newer versions)
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) $(LOCK_ARGS) --extra demo --extra dev pyproject.toml --output-file requirements.lock
	@{ echo "$$LOCK_HEADER"; grep -v -e '^#' -e '^pipecat-ai=' requirements.lock; \
	   echo 'pipecat-ai>=1.14' | $(COMPILE) --no-deps --no-annotate -; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock
	@$(call image_lock,worker-cpu)
	@$(call image_lock,web,$(ENGINES:%=--no-emit-package %))
	@$(call image_lock,worker-gpu,--extra gpu)

clean: ## Remove the virtual environment and everything the demo wrote
	rm -rf $(VENV) .venv-lock var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
