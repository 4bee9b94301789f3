"""Takes a script's tokens one by one, with its definitions put in, and says what was expected."""

from __future__ import annotations

from tcpemu.drill.language.script_mistake import Place, ScriptError, ScriptText
from tcpemu.drill.language.script_tokens import Sort, Token, tokens_of


class TokenReader:
    """The tokens of a script, and where its reading stands."""

    __slots__ = ("_at", "_tokens", "begun", "defines", "mistakes", "text")

    def __init__(self, text: ScriptText, defines: dict[str, str]) -> None:
        self.text = text
        self.defines = defines
        self._tokens, self.mistakes = tokens_of(text)
        self._at = 0
        self.begun = 0
        """Where the event that is read begins."""

    # --- looking ----------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one behind it; a word that is defined is what it stands for."""
        token = self._tokens[min(self._at + ahead, len(self._tokens) - 1)]
        if token.sort is Sort.WORD and token.text in self.defines:
            return _defined(token, self.defines[token.text])
        return token

    def next_is(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or words."""
        token = self.peek()
        return token.sort in (Sort.SIGN, Sort.WORD) and token.text in texts

    def sort_is(self, *sorts: Sort) -> bool:
        """Whether the next token is of one of these sorts."""
        return self.peek().sort in sorts

    # --- taking -----------------------------------------------------------------------------------

    def take(self) -> Token:
        """The next token; the END stays."""
        token = self.peek()
        if token.sort is not Sort.END:
            self._at += 1
        return token

    def take_if(self, *texts: str) -> Token | None:
        """The next token, if it is one of these signs or words."""
        return self.take() if self.next_is(*texts) else None

    def expect(self, text: str, where: str) -> Token:
        """The next token, which has to be this sign or word."""
        if self.next_is(text):
            return self.take()
        raise self.expected(f"'{text}'", where)

    def expect_sort(self, sort: Sort, what: str, where: str) -> Token:
        """The next token, which has to be of this sort."""
        if self.sort_is(sort):
            return self.take()
        raise self.expected(what, where)

    def whole(self, what: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        token = self.take() if self.sort_is(Sort.INTEGER, Sort.HEX) else None
        if token is None:
            raise self.expected(f"a whole number, {what}", "here")
        value = int(token.text, 0) if token.sort is Sort.HEX else int(token.text)
        if not least <= value <= most:
            raise self.mistake(token.place, f"{what} is {value}; it can be {least} to {most}")
        return value

    # --- after a mistake --------------------------------------------------------------------------

    def here(self) -> int:
        """Where the reading stands, for `next_event` and `skip_line`."""
        return self._at

    def next_event(self, begun: int) -> None:
        """Go on with the next line that begins as an event does, behind the one of the token `begun`."""
        tokens = self._tokens
        for at in range(begun + 1, len(tokens)):
            if tokens[at].sort is Sort.END or (self._begins_line(at) and self._may_be_event(at)):
                self._at = at
                return

    def _begins_line(self, at: int) -> bool:
        return at == 0 or self._tokens[at].place.line > self._tokens[at - 1].place.line

    def _may_be_event(self, at: int) -> bool:
        """Whether an event may begin there: with its time, or with a call whose time was forgotten."""
        token, following = self._tokens[at], self._tokens[at + 1]
        if token.sort is Sort.WORD:
            return following.sort is Sort.SIGN and following.text == "("
        return token.sort in (Sort.INTEGER, Sort.DECIMAL) or (token.sort is Sort.SIGN and token.text in "+*")

    def skip_line(self, begun: int) -> None:
        """Go on with the line below that of the token `begun`."""
        line = self._tokens[begun].place.line
        self._at = next(
            (at for at, token in enumerate(self._tokens) if token.place.line > line), len(self._tokens) - 1
        )

    def had_told(self, begun: int) -> bool:
        """Whether what was read since then holds a mark that is never closed, which has been told already."""
        line = self._tokens[max(begun, self._at - 1)].place.line
        return any(
            token.unclosed and token.place.line <= line for token in self._tokens[begun : self._at + 1]
        )

    # --- mistakes ---------------------------------------------------------------------------------

    def expected(self, what: str, where: str) -> ScriptError:
        """Something else stands there."""
        token, at = self.peek(), self._at
        if at > self.begun and (token.sort is Sort.END or (self._begins_line(at) and self._may_be_event(at))):
            last = self._tokens[at - 1].place
            behind = last._replace(column=last.column + last.width, width=1)
            return self.mistake(behind, f"expected {what} {where}, but the event ends here")
        return self.mistake(token.place, f"expected {what} {where}, but there is {token}")

    def mistake(self, place: Place, words: str) -> ScriptError:
        """Something is wrong at a place."""
        return ScriptError(self.text, place, words)


def _defined(token: Token, value: str) -> Token:
    """What a definition says in the place of its name."""
    if value[:1] == '"':
        return Token(Sort.TEXT, value[1:-1], token.place, token.spaced)
    if value[:1] == "`":
        return Token(Sort.COMMAND, value[1:-1], token.place, token.spaced)
    try:
        int(value, 0)
    except ValueError:
        return Token(Sort.WORD, value, token.place, token.spaced)
    sort = Sort.HEX if value.lower().startswith("0x") else Sort.INTEGER
    return Token(sort, value, token.place, token.spaced)
