"""Text made of lines of numbers, split and parsed with array operations."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..runtime.errors import InputError

__all__ = ["Lines", "numbers", "split_lines", "write_rows"]

_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(rb"[+-]?\d+")

LINE_FEED = 10
ROWS_AT_ONCE = 20_000
SPACE = 32  # this and every control character below separates words


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a text that are not blank.

    raw: uint8, the text. first_word: int64 [L + 1], the number of each line's first word, and of the first
    word after the last. word_start: int64, where each word of the text begins. end: int64 [L], where each
    line ends. number: int64 [L], counted from 1.
    """

    raw: np.ndarray
    first_word: np.ndarray
    word_start: np.ndarray
    end: np.ndarray
    number: np.ndarray

    @property
    def words(self) -> np.ndarray:
        """Number of words of each line."""
        return np.diff(self.first_word)

    @property
    def start(self) -> np.ndarray:
        """Where each line's first word begins."""
        return self.word_start[self.first_word[:-1]]

    def line_of_word(self, chosen: np.ndarray, skipped: int) -> Callable[[int], int]:
        """For the words of `text_after(chosen, skipped)`: the line that a word is on."""

        def line(place: int) -> int:
            ends = np.cumsum(self.words[chosen] - skipped)
            return int(self.number[chosen][np.searchsorted(ends, place, "right")])

        return line

    def text_after(self, chosen: np.ndarray, skipped: int) -> bytes:
        """The chosen lines (bool [L]), each without its first `skipped` words, of which it has more."""
        kept = np.zeros(len(self.raw) + 1, np.int8)
        kept[self.word_start[self.first_word[:-1][chosen] + skipped]] = 1
        kept[self.end[chosen]] -= 1  # a line may begin where the one before ends
        return self.raw[np.cumsum(kept[:-1], dtype=np.int8).view(bool)].tobytes()


def split_lines(data: bytes) -> Lines:
    """The lines and words of a text; lines end with a line feed or, in old files, a carriage return alone."""
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    raw = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", np.uint8)
    word = raw > SPACE
    begins = word.copy()
    begins[1:] &= ~word[:-1]
    word_start = np.flatnonzero(begins)
    line_end = np.flatnonzero(raw == LINE_FEED)
    first_word = np.concatenate([[0], np.searchsorted(word_start, line_end)])
    filled = np.flatnonzero(np.diff(first_word))
    return Lines(
        raw, np.append(first_word[filled], first_word[-1]), word_start, line_end[filled] + 1, filled + 1
    )


def numbers(text: bytes, kind: type, path: Path, line_of_word: Callable[[int], int]) -> np.ndarray:
    """All numbers of a text that holds nothing else, as `kind` (np.float64 or np.int64).

    A word that is not a number raises InputError with its line: `line_of_word` is asked for it with the
    word's place in the text.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error", DeprecationWarning
            )  # so numpy before 2.4 says that it stopped early
            values: np.ndarray = np.fromstring(text, kind, sep=" ")
        if len(values) == _count_words(text):  # "1-2" would be taken for two numbers
            return values
    except (ValueError, DeprecationWarning):
        pass
    form = _NUMBER if kind is np.float64 else _WHOLE_NUMBER
    words = text.split() or [text]
    place = next((i for i, word in enumerate(words) if not form.fullmatch(word)), 0)
    word = words[place][:40].decode("latin-1")
    what = "a number" if kind is np.float64 else "a whole number"
    raise InputError(
        f"{word!r} is not {what}",
        f"{path}, line {line_of_word(place)}",
        "Repair the line or export the file again.",
    )


def _count_words(text: bytes) -> int:
    word = np.frombuffer(text, np.uint8) > SPACE
    return int(np.count_nonzero(word[1:] & ~word[:-1])) + int(word[:1].sum())


def write_rows(file: BinaryIO, form: str, rows: np.ndarray) -> None:
    """Write each row [N, columns] in the form of a %-pattern such as "f %d %d %d\\n"."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        piece = rows[start : start + ROWS_AT_ONCE]
        file.write((form * len(piece) % tuple(piece.ravel().tolist())).encode())
