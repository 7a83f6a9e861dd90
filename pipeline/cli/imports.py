"""What a command need not load."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# numba asks once, while it loads this module, and keeps the answer there; so many calls lie between.
_ASKING, _ANSWER, _DEEPEST = "numba.np.arraymath", "_HAVE_BLAS", 20


class _WithoutBlas(MetaPathFinder):
    """Tells numba that there is no `scipy.linalg`, while it asks for it; later it may be loaded as ever."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if name == "scipy.linalg" and not hasattr(sys.modules.get(_ASKING), _ANSWER) and _asked_by_numba():
            raise ImportError("compiled loops of rt-targets need no linear algebra")
        return None


def _asked_by_numba() -> bool:
    """Whether this thread is about to load it because numba wants to know whether it is there."""
    frame = sys._getframe()
    for _ in range(_DEEPEST):
        if frame.f_globals.get("__name__") == "numba.np.linalg" and frame.f_code.co_name == "ensure_blas":
            return True
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False


def leave_out() -> None:
    """Do not load what is loaded on the off-chance, a tenth of a second each, and is of no use here.

    numba looks for the linear algebra of SciPy and, for its users' sake, for coverage. For a process of its
    own: what others compile in it must do without.
    """
    sys.meta_path.insert(0, _WithoutBlas())
    sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]  # what Python takes as: there is none
