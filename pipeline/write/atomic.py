"""Files that appear whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import OutputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; it takes the place of `path` when the block ends well.

    On any exception, an interrupt included, the file at the other name is removed and what was at
    `path` before is untouched. The suffixes of both names are the same.

    Raises:
        OutputError: the file system refused.
    """
    other = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield other
        other.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        other.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error to raise for what the file system refused."""
    return OutputError(
        "output cannot be written",
        where=str(path),
        got=error.strerror or type(error).__name__,
        todo="check that the folder exists, is writable and has room",
    )
