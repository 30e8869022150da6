"""What is told of an answer while it is written, such that all that was told ends with the answer itself."""

from theseus.contracts.events import LLMPartial

BREAK = "\n\n"
"""Between what an agent says before it calls a tool, or what a model said before it was cut off, and what follows."""


class Voice:
    """The text of one stream.

    Args:
        is_live: whether what the task's own agent writes is told as it comes.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._step = 0
        self._attempt = 0
        self._draft = ""
        self._shown = ""
        self._needs_break = False

    def hear(self, part: LLMPartial) -> str:
        """What is to be told now."""
        place = part.payload
        if not self._is_live or part.agent_id or (place.step, place.attempt) < (self._step, self._attempt):
            return ""
        if place.step != self._step:
            self._needs_break = self._needs_break or bool(self._shown.strip())
            self._shown = self._draft = ""
        elif place.attempt != self._attempt:
            self._draft = ""
        self._step, self._attempt = place.step, place.attempt
        self._draft += part.message
        if self._shown.startswith(self._draft):
            return ""
        return self._tell(self._draft)

    def close(self, answer: str) -> str:
        """What is still to be told of the answer."""
        return "" if answer == self._shown else self._tell(answer)

    def _tell(self, text: str) -> str:
        """Goes on to this text, or begins anew where it is another than was shown."""
        if text.startswith(self._shown):
            new = text[len(self._shown) :]
        else:
            new, self._needs_break = text, True
        self._shown = text
        if self._needs_break and new:
            new, self._needs_break = BREAK + new, False
        return new
