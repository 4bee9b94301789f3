/* The Python console: Enter does a statement, the arrow keys bring back what was typed before. */

export class PythonConsole {
  constructor(said, typed, ask) {
    Object.assign(this, { said, typed, ask });
    this.history = [];
    this.place = 0;
    this.more = false;
    typed.onkeydown = (event) => this.key(event);
  }

  key(event) {
    event.stopPropagation();
    const alone = !this.typed.value.includes("\n");
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.enter(this.typed.value);
    } else if (alone && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.place = Math.max(0, Math.min(this.history.length, this.place + (event.key === "ArrowUp" ? -1 : 1)));
      this.typed.value = this.history[this.place] ?? "";
    }
  }

  async enter(line) {
    if (line.trim()) this.place = this.history.push(line);
    this.typed.value = "";
    const several = line.includes("\n");
    this.write(`${line.split("\n").map((each, n) => `${this.more || n ? "..." : ">>>"} ${each}`).join("\n")}\n`);
    try {
      const { shown, more } = await this.ask("python", { line: several ? `${line}\n` : line });
      this.more = more;
      this.write(shown);
    } catch (error) {
      this.more = false;
      this.write(`${error.message}\n`);
    }
  }

  write(text) {
    this.said.append(text);
    this.said.scrollTop = this.said.scrollHeight;
  }
}
