# make app          the app on http://127.0.0.1:8501 (PORT=9000 make app: on another port)
# make test         linter, types and every test
# make screenshots  the pictures of the README, taken in a real browser
# make benchmark    the numbers to hold, measured on this machine (half an hour, on an idle machine)
#
# All of them make .venv first, and install requirements only when their files have changed.

PORT ?= 8501
VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: app test screenshots benchmark environment development

app: environment
	@echo "BiGAN Explorer: http://127.0.0.1:$(PORT)   (Ctrl-C ends it)"
	@exec $(PYTHON) -m streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT)

# The tests' tensors are tiny: more threads do not help, and on busy cores they wait for each other for minutes. Two
# processes do: half of the time goes to waiting for a browser.
test: export OMP_NUM_THREADS := 1
test: development
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy bigan app.py pages scripts
	$(PYTHON) -m pytest -q -ra -n 2 --dist loadfile

screenshots: development
	$(PYTHON) -m scripts.screenshots

benchmark: development
	$(PYTHON) -m bigan benchmark

environment: $(PYTHON)
	@cmp -s requirements.txt $(VENV)/requirements.installed || { \
	  $(PYTHON) -m pip install --disable-pip-version-check -r requirements.txt && \
	  cp requirements.txt $(VENV)/requirements.installed; }

# A change of requirements.txt has to be installed here too: -dev.txt includes it.
development: environment
	@cat requirements.txt requirements-dev.txt | cmp -s - $(VENV)/requirements-dev.installed || { \
	  $(PYTHON) -m pip install --disable-pip-version-check -r requirements-dev.txt && \
	  cat requirements.txt requirements-dev.txt > $(VENV)/requirements-dev.installed; }

# The first Python on the path that runs and is new enough; a python3.11 that is only a broken shim is passed over.
$(PYTHON):
	@for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$candidate"; \
	    exec "$$candidate" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with venv was found; install it (Debian: python3 and python3-venv)." >&2; \
	exit 1
