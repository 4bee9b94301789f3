"""How many, in words: counts with their nouns, ordinals, rates."""


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def count(number: int, one: str, many: str = "") -> str:
    """`1 packet`, `2 packets`, `1,000 packets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def rate_words(octets: float) -> str:
    """A rate in bits a second, of octets a second: `9.57 Mbit/s`."""
    unit, name = next(((size, name) for size, name in _RATES if octets * 8 >= size), _RATES[-1])
    return f"{octets * 8 / unit:.3g} {name}"


_RATES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))
