"""Text tools over real documents, and one that asks a host tool.

snakepit worker spawn examples/text.py
snakepit tool call analyze path=docs/architecture.md
"""

import re
from collections import Counter
from pathlib import Path

from snakepit import Context, tool

WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
SENTENCE = re.compile(r"[.!?]+(?:\s|$)")


def syllables(word: str) -> int:
    """A rough count for English: groups of vowels, less a silent e."""
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    return max(1, groups - (word.lower().endswith("e") and groups > 1))


@tool(idempotent=True)
def analyze(path: str, top: int = 10) -> dict:
    """Counts the words of a text file and says how easy it is to read.

    Args:
        path: A text file, from the directory that the worker was started in.
        top: How many of the most frequent words of four letters or more to give.
    """
    text = Path(path).read_text(encoding="utf-8")
    words = WORD.findall(text)
    if not words:
        raise ValueError(f"{path} has no words")
    sentences = max(1, len(SENTENCE.findall(text)))
    long_words = Counter(word.lower() for word in words if len(word) > 3)
    per_sentence = len(words) / sentences
    per_word = sum(map(syllables, words)) / len(words)
    return {
        "characters": len(text),
        "words": len(words),
        "distinct_words": len({word.lower() for word in words}),
        "sentences": sentences,
        "longest_words": sorted(
            {word.lower() for word in words}, key=lambda word: (-len(word), word)
        )[:5],
        "frequent_words": dict(long_words.most_common(top)),
        # Flesch's reading ease: 90 is very easy, 30 very hard.
        "reading_ease": round(206.835 - 1.015 * per_sentence - 84.6 * per_word, 1),
    }


@tool
def ask_host(ctx: Context, name: str, arguments: dict | None = None):
    """Calls a tool of the host (a command declared in snakepit.toml) and gives what it answered.

    Args:
        name: The host tool's name.
        arguments: Its arguments by name.
    """
    return {"host_tool": name, "answer": ctx.host[name](**(arguments or {}))}
