PYTHON ?= python3
PORT ?= 8501
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: run test lint bench zoo clean

run: $(VENV)/run.stamp
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/dev.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

zoo: $(VENV)/train.stamp
	$(BIN)/python -m attnviz train all --data $(DATA)

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/train.stamp: requirements.txt requirements-train.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements-train.txt
	touch $@
