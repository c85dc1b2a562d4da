"""The game."""

from src.words import word


def fizz(limit: int) -> list[str]:
    """Gives the words from 1 up to and including ``limit``."""
    return [word(number) for number in range(1, limit + 1)]
