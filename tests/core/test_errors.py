"""The error tree and its sentences."""

from __future__ import annotations

import pytest

from pipeline.core import errors


@pytest.mark.parametrize(
    "child, parent",
    [
        (errors.InputError, errors.TargetsError),
        (errors.SeriesError, errors.InputError),
        (errors.StructureError, errors.InputError),
        (errors.ConfigError, errors.InputError),
        (errors.UsageError, errors.TargetsError),
        (errors.GeometryError, errors.TargetsError),
        (errors.OutputError, errors.TargetsError),
    ],
)
def test_tree(child: type[Exception], parent: type[Exception]) -> None:
    assert issubclass(child, parent)
    assert child.__name__ in (errors.__doc__ or "")


def test_a_sentence_names_only_what_is_known() -> None:
    error = errors.TargetsError("no CT", where="export", expected="2", got="0", todo="give one")
    assert str(error) == "no CT; where: export; expected: 2; got: 0; what to do: give one"
    assert (error.what, error.where, error.expected, error.got, error.todo) == (
        "no CT", "export", "2", "0", "give one",
    )  # fmt: skip
    assert str(errors.TargetsError("no CT", got="0")) == "no CT; got: 0"
