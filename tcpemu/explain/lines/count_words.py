"""How many, in words: counts with their nouns, and ordinals."""


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def count(number: int, one: str, many: str = "") -> str:
    """`1 packet`, `2 packets`, `1,000 packets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
