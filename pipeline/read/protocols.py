"""Protocol files: `configs/protocols/*.yaml` or a user's own, checked and turned into a `Protocol`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.core.errors import ConfigError, UsageError
from pipeline.core.frozen import FrozenMap
from pipeline.core.rules import Barrier, Colour, Ends, InvolvedField, Protocol
from pipeline.read.decision_rules import decision_rules
from pipeline.read.dose_rules import dose_rules
from pipeline.read.elective_rules import elective_rules
from pipeline.read.protocol_document import (
    ColourRule,
    Document,
    assumptions,
    check_assumptions,
    check_barriers,
    check_sections,
    check_sources,
)
from pipeline.read.protocol_names import check_names
from pipeline.read.protocol_values import fixed, ranged
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import YamlFile, read_yaml, validated

DEFAULT_PROTOCOL = "esophagus-salvage-2020"


def list_protocols() -> tuple[str, ...]:
    """The names of the protocols that come with the package, sorted.

    >>> "esophagus-salvage-2020" in list_protocols()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def protocol_file(name_or_file: str | Path) -> Path:
    """The file of a protocol: by name from those that come with the package, or a file of the user's own.

    Raises:
        UsageError: neither a known name nor a file.
        ConfigError: a path where there is no file.
    """
    if str(name_or_file) in list_protocols():
        return _folder() / f"{name_or_file}.yaml"
    path = Path(name_or_file)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) > 1:
        raise ConfigError(
            "no such protocol file",
            where=str(name_or_file),
            expected=f"a YAML file, or one of {', '.join(list_protocols())}",
            got="a folder" if path.is_dir() else "nothing there",
            todo="check the path, or see `rt-targets protocol list`",
        )
    raise UsageError(
        "unknown protocol",
        expected=f"a file, or one of {', '.join(list_protocols())}",
        got=str(name_or_file),
        todo="see `rt-targets protocol list`",
    )


def checked_against_atlas(name_or_file: str | Path) -> Protocol:
    """`load_protocol`, and every station, landmark and organ that it names is one of the atlas.

    Raises:
        UsageError, ConfigError: as `load_protocol`; ConfigError for a name that the atlas does not have.
    """
    protocol = load_protocol(name_or_file)
    file = read_yaml(protocol_file(name_or_file))
    check_names(file, validated(Document, file))
    return protocol


def load_protocol(name_or_file: str | Path = DEFAULT_PROTOCOL) -> Protocol:
    """Read and check a protocol, but for the names of stations, landmarks and organs.

    Args:
        name_or_file: a name of `list_protocols`, or a YAML file.

    Raises:
        UsageError: no such protocol or file.
        ConfigError: the file does not keep to its form: unknown or missing key, wrong type or unit, a
            default outside its range, a source key that is not declared. Names file, line and key.
    """
    file = read_yaml(protocol_file(name_or_file))
    document = validated(Document, file)
    for check in (check_sections, check_sources, check_barriers):
        check(file, document)
    margins, colours = document.margins, document.colours
    protocol = Protocol(
        name=_own_name(document.name, file),
        title=document.title,
        version=document.version,
        file=file.name,
        sha256=file.sha256,
        pgtv=fixed(margins.pgtv) if margins.pgtv else None,
        ptv=fixed(margins.ptv),
        ifi=InvolvedField(
            horizontal=ranged(file, ("margins", "ifi", "horizontal"), margins.ifi.horizontal),
            craniocaudal=ranged(file, ("margins", "ifi", "craniocaudal"), margins.ifi.craniocaudal),
        ),
        eni=elective_rules(file, margins.eni, document.elective)
        if margins.eni and document.elective
        else None,
        decision=decision_rules(file, document.decision) if document.decision else None,
        doses=dose_rules(file, document.doses) if document.doses else None,
        ends=Ends(document.ends.value),
        barriers=tuple(
            Barrier(structure=b.structure, overlap_mm=b.overlap, on=b.enabled, source=b.source)
            for b in document.barriers
        ),
        fill_ptv_holes=document.fill_ptv_holes.value,
        colours=FrozenMap(
            {
                "GTV-T": _rgb(colours.gtv_t),
                "GTV-N": _rgb(colours.gtv_n),
                "PGTV": _rgb(colours.pgtv),
                "CTV": _rgb(colours.ctv),
                "PTV": _rgb(colours.ptv),
            }
        ),
        sources=FrozenMap({str(key): text for key, text in document.sources.items()}),
        assumptions=FrozenMap(assumptions(document)),
    )
    check_assumptions(file, document)  # last: settings are named after rules, whose own faults come first
    return protocol


def _own_name(name: str, file: YamlFile) -> str:
    """A protocol's name; that of one that comes along with other content says that it was changed."""
    if name not in list_protocols():
        return name
    theirs = hashlib.sha256((_folder() / f"{name}.yaml").read_bytes()).hexdigest()
    return name if theirs == file.sha256 else f"{name} (changed)"


def _folder() -> Path:
    return resource_folder("configs") / "protocols"


def _rgb(colour: ColourRule) -> Colour:
    red, green, blue = colour.rgb
    return (red, green, blue)
