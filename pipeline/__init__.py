"""Target volumes for recurrent esophageal cancer after surgery: from a CT and its lesions to an RTSTRUCT.

The order of the work is told in `pipeline.run`; one case from files to files is `pipeline.app`; the values
that the rooms hand to each other are in `pipeline.core`.
"""

from __future__ import annotations

from importlib import metadata

try:
    __version__ = metadata.version("rt-targets")
except metadata.PackageNotFoundError:  # the source tree on sys.path, never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
