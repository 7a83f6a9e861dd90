"""DICOM values of odd form: common in real headers, and none of pydicom's business here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pydicom


@contextmanager
def lenient() -> Iterator[None]:
    """Values are neither checked nor complained about: what is used of them is checked by hand.

    For the outermost functions, before they start threads: filters of warnings belong to the whole process.
    """
    with pydicom.config.disable_value_validation(), warnings.catch_warnings():
        # Its complaints quote values, a patient's name among them.
        warnings.filterwarnings("ignore", module=r"pydicom\b")
        yield
