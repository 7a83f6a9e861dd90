"""The error tree: everything that this package raises on purpose.

::

    TargetsError                 exit code 1
    ├── InputError               broken or unusable input
    │   ├── SeriesError          no CT, several candidates, missing, uneven or tilted slices
    │   ├── StructureError       no structure set, ROI missing, empty, ambiguous or outside the CT
    │   └── ConfigError          a protocol, scheme or atlas file: file, key, expected, got
    ├── UsageError               wrong use: an option out of range or not known (exit code 2)
    ├── GeometryError            grids that differ, a margin below zero, an empty solid
    └── OutputError              a folder that is not empty or not writable, a file that reads back wrong

Clinical doubt is no error: it is a `Finding` and goes into the report.
"""

from __future__ import annotations


class TargetsError(Exception):
    """Base of the tree: a sentence that says what, where, expected and got, and what to do.

    Never put a patient's name, birth date or identifier into any part.

    >>> print(TargetsError("no CT slices", where="folder export", expected="at least 2", got="0"))
    no CT slices; where: folder export; expected: at least 2; got: 0
    """

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", got: str = "", todo: str = ""
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.todo = todo
        named = (("where", where), ("expected", expected), ("got", got), ("what to do", todo))
        super().__init__("; ".join([what, *(f"{name}: {text}" for name, text in named if text)]))


class InputError(TargetsError):
    """Input that is broken or cannot be used."""


class SeriesError(InputError):
    """A CT series that is missing, ambiguous, incomplete, uneven or tilted."""


class StructureError(InputError):
    """A structure set or ROI that is missing, empty, ambiguous or does not fit the CT."""


class ConfigError(InputError):
    """A file of `configs/` or `atlas/` that does not keep to its form."""


class UsageError(TargetsError):
    """Wrong use of a command or option."""


class GeometryError(TargetsError):
    """An operation that its geometry does not allow."""


class OutputError(TargetsError):
    """Output that cannot be written, or that reads back wrong."""
