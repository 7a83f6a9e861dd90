"""Speed and accuracy tables: `make bench`, or `python -m tests.benchmarks [NAME ...]`."""
