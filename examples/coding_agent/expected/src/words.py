"""What to say for a number."""


def word(number: int) -> str:
    """Gives "Fizz", "Buzz", both, or the number."""
    said = "Fizz" * (number % 3 == 0) + "Buzz" * (number % 5 == 0)
    return said or str(number)
