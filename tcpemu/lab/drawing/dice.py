"""Numbers that only who has the secret can foretell: HMAC-SHA-256 of the secret and of what is drawn for whom.

They depend on no random number generator, so a class is the same with every version of Python.
"""

import hashlib
import hmac
import json


class Dice:
    """What is drawn for one student in one lab; each attempt gives other numbers."""

    __slots__ = ("_secret", "_whose")

    def __init__(self, secret: bytes, lab: str, student: str, attempt: int = 0) -> None:
        self._secret = secret
        self._whose = [lab, student, attempt]

    def below(self, limit: int, what: str) -> int:
        """A number from 0 to limit - 1; the same for the same `what`."""
        text = json.dumps([*self._whose, what]).encode()
        return int.from_bytes(hmac.digest(self._secret, text, hashlib.sha256)) % limit

    def seed(self) -> int:
        """The seed of the run."""
        return self.below(2**63, "seed")

    def order(self, count: int, what: str) -> list[int]:
        """The numbers from 0 to count - 1, shuffled."""
        left = list(range(count))
        return [left.pop(self.below(len(left), f"{what} {number}")) for number in range(count)]
