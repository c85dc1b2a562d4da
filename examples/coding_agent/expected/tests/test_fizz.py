"""What README.md promises."""
# ruff: noqa: PT009 - run by unittest, so that there is nothing to install

import unittest

from src.fizz import fizz
from src.words import word


class FizzTest(unittest.TestCase):
    """What players hear."""

    def test_words(self) -> None:
        """Multiples of three and five have words of their own."""
        self.assertEqual([word(3), word(5), word(15), word(16)], ["Fizz", "Buzz", "FizzBuzz", "16"])

    def test_the_game_is_as_long_as_was_agreed(self) -> None:
        """The limit is played too."""
        self.assertEqual(len(fizz(15)), 15)
