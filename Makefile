# make demo: from nothing to a ranked queue. make test: the tests. make check: what continuous integration runs. make bench: speed.
PYTHON ?= python3
BIN := .venv/bin
THREADS ?= 2
export OMP_NUM_THREADS ?= $(THREADS)
# one process for each processor; files in the order of their folders, or the few long ones would come last and one process wait
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(THREADS) --dist loadscope --no-loadscope-reorder
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo install test check format bench lock clean

install: .venv/.installed

# torch first and by its pin: the CPU build must be there before anything else asks for torch
.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: install
	test -d .git || git init -q .
	triage check
	dvc repro
	triage promote baseline --why "first model of the demo"
	triage nightly --as-of 2025-09-15
	@echo
	@echo "Queue, rejects and manifest   data/nights/sample/2025-09-15/"
	@echo "Evaluation to read            data/evaluation/sample/baseline/report.html"
	@echo "Dataset card                  data/dataset/sample/card.md"
	@echo "Runs and models               mlflow ui --backend-store-uri sqlite:///mlflow.db"

test: install
	$(PYTEST) -m "not gpu and not bench"

check: install
	ruff format --check .
	ruff check .
	mypy
	$(PYTEST)

format: install
	ruff format .
	ruff check --fix .

bench: install
	$(BIN)/python -m pytest -m bench -s -p no:cacheprovider tests/bench

# Renews the pins: resolves the floors of pyproject.toml anew in an empty environment, CPU build of torch first.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -q "$$(grep '^torch==' constraints.txt)"
	build/lock/bin/python -m pip install -q '.[dev]'
	( echo "# Exact versions the tests pass with. Renew with: make lock"; build/lock/bin/python -m pip freeze --exclude dispute-triage | sed -E 's/^torch==([0-9.]+).*/torch==\1/' ) > constraints.txt

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
