"""YAML files of `configs/` and `atlas/`: read with the line of each key, checked against a pydantic model."""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.core.errors import ConfigError

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound="Strict")

_LONGEST_FILE_BYTES = 1_000_000  # a protocol has some kilobytes; anything else was picked by mistake
_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml's, where PyYAML was built with it: ten times faster
_DEEPEST = 100
_TODO = "correct the file"
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}
_EXPECTED = {  # what pydantic's error types ask for, in words of a YAML file
    "missing": "this key",
    "bool_type": "true or false",
    "string_type": "text (put it in quotes)",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "finite_number": "a finite number",
}


class Strict(BaseModel):
    """The base of every file's model: no unknown key, no guessing of types, no nan."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """A YAML file as plain values.

    Attributes:
        name: the file's name without its folder.
        sha256: of its bytes.
        content: mappings, lists, text, numbers, booleans, None.
        lines: key path to line, counted from 1.
        odd_keys: paths of keys that are no text: `on`, `no`, `7` without quotes.
    """

    name: str
    sha256: str
    content: object
    lines: Mapping[KeyPath, int]
    odd_keys: tuple[KeyPath, ...] = ()

    def problem(
        self, what: str, path: KeyPath, *, expected: str, got: object, todo: str = _TODO
    ) -> ConfigError:
        """The error for what stands at a key: names file, line and key. To be raised by the caller."""
        return ConfigError(what, where=self.place(path), expected=expected, got=_short(got), todo=todo)

    def place(self, path: KeyPath) -> str:
        """File, line and key of a key path; the line of the nearest key above where the key is missing."""
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.lines), ())
        key = ".".join(str(part) for part in path)
        return f"{self.name}, line {self.lines.get(known, 1)}" + (f", key {key}" if key else "")


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML document of plain values.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or says a key twice.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            "file cannot be read", where=path.name, expected="a YAML file", got=error.strerror or "no file"
        ) from error
    if len(raw) > _LONGEST_FILE_BYTES:
        raise ConfigError(
            "file is too large", where=path.name, expected="a YAML file of at most 1 MB", got="more"
        )
    try:
        text = raw.decode("utf-8")
        _check_depth(text, path.name)
        node = yaml.compose(text, Loader=_LOADER)
        content = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise _not_yaml(path.name, error) from error
    lines: dict[KeyPath, int] = {}
    try:
        _note_lines(node, (), lines, path.name)
    except RecursionError as error:  # an alias inside what it stands for
        raise _not_yaml(path.name, error) from error
    return YamlFile(
        name=path.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        content=content,
        lines=lines,
        odd_keys=tuple(_odd_keys(node, ())),
    )


def validated(model: type[Model], file: YamlFile) -> Model:
    """The file's content as a model.

    Raises:
        ConfigError: a key that is no text, or the first place, by line, that does not keep to the model; what
            is missing comes after all else.
    """
    for odd in file.odd_keys[:1]:
        raise file.problem("key that is no text", odd, expected="text (put it in quotes)", got=odd[-1])
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    # A key that is not known first: it is the misspelt one, of the same place, that another one lacks.
    first = min(problems, key=lambda one: (one["type"] == "missing", file.lines.get(one["loc"], 0)))
    more = f" (the first of {len(problems)} problems)" if len(problems) > 1 else ""
    path: KeyPath = first["loc"]
    if first["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_keys_at(model, path[:-1]))) or "no key at all"
        raise file.problem(f"unknown key{more}", path, expected=f"one of {allowed}", got=str(path[-1]))
    if first["type"] == "missing":
        raise file.problem(f"missing key{more}", path, expected=f"the key {path[-1]}", got="nothing")
    said = first["msg"].removeprefix("Input should be ").replace("'", "")
    expected = _EXPECTED.get(first["type"], said)
    raise file.problem(f"value that cannot be used{more}", path, expected=expected, got=first["input"])


def _check_depth(text: str, name: str) -> None:
    """Refuse what is nested so deeply that libyaml, which goes down by recursion, would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigError(
                "file is not YAML",
                where=f"{name}, line {line}",
                expected=f"at most {_DEEPEST} levels of keys and lists",
                got="deeper nesting",
                todo=_TODO,
            )


def _not_yaml(name: str, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}, line {mark.line + 1}" if mark is not None else name
    no_text = "no text" if isinstance(error, UnicodeDecodeError) else type(error).__name__
    got = getattr(error, "problem", None) or no_text
    return ConfigError("file is not YAML", where=where, expected="one YAML document", got=got, todo=_TODO)


def _note_lines(node: yaml.Node | None, path: KeyPath, lines: dict[KeyPath, int], name: str) -> None:
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*path, index), lines, name)
    if isinstance(node, yaml.MappingNode):
        said: set[KeyPath] = set()  # not `lines`: an alias brings the same node, and path, a second time
        for key, value in node.value:
            below = (*path, str(key.value))
            line = key.start_mark.line + 1
            if below in said:
                raise ConfigError(
                    "key stands twice",
                    where=f"{name}, line {line}, key {'.'.join(str(part) for part in below)}",
                    expected="each key once",
                    got=f"the first one in line {lines[below]}",
                    todo=_TODO,
                )
            said.add(below)
            lines[below] = line
            _note_lines(value, below, lines, name)


def _odd_keys(node: yaml.Node | None, path: KeyPath) -> Iterator[KeyPath]:
    """Keys that YAML 1.1 takes for a truth value, a number or nothing."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _odd_keys(item, (*path, index))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            if key.tag not in _TEXT_TAGS:
                yield below
            yield from _odd_keys(value, below)


def _keys_at(model: type[BaseModel], path: KeyPath) -> set[str]:
    """The keys that a model allows at a key path."""
    kind: Any = model
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:  # list[X] or dict[str, X]
            kind = (typing.get_args(kind) or (None,))[-1]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {field.alias or name for name, field in kind.model_fields.items()}
    return set()


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
