"""What a command need not load."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ASKING, _ANSWER = "numba.np.arraymath", "_HAVE_BLAS"


class _WithoutBlas(MetaPathFinder):
    """Tells numba that there is no `scipy.linalg`, while it asks for it; later it may be loaded as ever."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        asking = sys.modules.get(_ASKING)
        if name == "scipy.linalg" and asking is not None and not hasattr(asking, _ANSWER):
            raise ImportError("compiled loops of rt-targets need no linear algebra")
        return None


def leave_out() -> None:
    """Do not load what is loaded on the off-chance, a tenth of a second each, and is of no use here.

    numba looks for the linear algebra of SciPy and, for its users' sake, for coverage. For a process of its
    own: what others compile in it must do without.
    """
    sys.meta_path.insert(0, _WithoutBlas())
    sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]  # what Python takes as: there is none
