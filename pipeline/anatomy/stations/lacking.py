"""What a rule needs and a patient does not have, and what was told on the way."""

from __future__ import annotations

from dataclasses import dataclass, field


class LackingError(Exception):
    """A structure, landmark, point or path is not known; the text says which, for the reader of a report."""


@dataclass(slots=True)
class Trace:
    """What a rule made use of.

    Attributes:
        notes: sentences on what was inferred, each once, in the order met.
        landmarks: names of the landmarks that set a level.
    """

    notes: list[str] = field(default_factory=list)
    landmarks: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Add a sentence once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def uses(self, landmark: str) -> None:
        """Add a landmark once."""
        if landmark not in self.landmarks:
            self.landmarks.append(landmark)

    def join(self, other: Trace) -> None:
        """Add what another rule made use of."""
        for sentence in other.notes:
            self.note(sentence)
        for name in other.landmarks:
            self.uses(name)
