/* The page: a question, its answer by a run, and all that can be changed about it. What is shown of a run is drawn by the
   scripts of the report; what a run is, and every word about it, comes from the emulator in the worker. */

import { ControlBoard } from "./control_board.mjs";
import { Engine, Stopped } from "./engine.mjs";
import { PacketTools } from "./packet_tools.mjs";
import { PythonConsole } from "./python_console.mjs";
import { linked, unlinked } from "./shared_link.mjs";
import { differencesShown, SideBySide } from "./side_by_side.mjs";

const $ = (id) => document.getElementById(id);
const SLOW = 600; // milliseconds after which a run can be stopped
const KINDS = { question: "Questions", scenario: "Built-in scenarios", lesson: "Lessons of the labs" };
const COUNTED = { connected: "connected", completed: "completed by the server", refused: "refused", reset: "reset", syns_dropped: "SYNs dropped", syn_acks_repeated: "SYN|ACKs sent again" };
const megabytes = (octets) => `${(octets / 1e6).toFixed(1)} MB`;

class Playground {
  constructor(experiments) {
    this.experiments = experiments;
    this.undone = [];
    this.engine = new Engine((far) => this.loading(far));
    this.board = new ControlBoard($("board"), (path, value) => this.change("move", { path, value }));
    this.side = new SideBySide($("other"), $("beside-changes"));
    this.console = new PythonConsole($("said"), $("typed"), (name, values) => this.engine.ask(name, values));
    this.console.write("Python, with tcpemu in it. Try: import tcpemu; print(tcpemu.run_scenario(\"listen-1-vs-5\").ladder())\n");
    this.choices();
    this.listen();
  }

  choices() {
    for (const [kind, title] of Object.entries(KINDS)) {
      const some = this.experiments.filter((each) => each.kind === kind);
      $("experiments").append(el("optgroup", { label: title }, ...some.map((each) => el("option", { value: `${kind}/${each.name}` }, each.title))));
    }
  }

  listen() {
    $("experiments").onchange = (event) => this.open(event.target.value);
    $("predict").onsubmit = (event) => {
      event.preventDefault();
      this.first();
    };
    $("stop").onclick = () => this.engine.stop();
    $("undo").onclick = () => this.undo();
    $("add").onclick = () => this.change("more", { what: $("more").value, at: this.now(), group: this.told.groups[0] ?? null });
    $("run-text").onclick = () => this.runText();
    $("text").onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.runText();
    };
    $("text").onkeyup = $("text").onclick = () => this.keyHelp();
    $("beside").onclick = () => this.beside();
    $("tell").onclick = () => this.tell("story", { run: app.number });
    $("tell-state").onclick = () => this.tell("state", { run: app.number, at: this.now() });
    for (const button of document.querySelectorAll("[data-take]")) button.onclick = () => this.take(button.dataset.take);
    addEventListener("hashchange", () => this.follow());
  }

  // Loading.

  loading({ loaded, all, starting, ready, broken, fromCache, python }) {
    const bar = $("progress");
    if (broken) {
      bar.hidden = true;
      $("loading").textContent = `The emulator did not start: ${broken}`;
    } else if (ready) {
      bar.hidden = true;
      this.isReady = true;
      $("run").disabled = false;
      $("loading").textContent = fromCache ? "" : `Python ${python} and the emulator are loaded; the browser keeps them.`;
      document.body.dataset.engine = "ready";
      document.body.dataset.cached = fromCache;
    } else if (starting) {
      $("loading").textContent = "starting the emulator …";
    } else {
      bar.hidden = false;
      bar.value = Math.min(1, loaded / all);
      $("loading").textContent = `loading the emulator: ${megabytes(Math.min(loaded, all))} of ${megabytes(all)}`;
    }
  }

  // Experiments.

  open(chosen) {
    const [kind, name] = chosen.split("/");
    const one = this.experiments.find((each) => each.kind === kind && each.name === name) ?? this.experiments[0];
    this.experiment = one;
    this.guess = null;
    this.answered = null;
    this.undone = [];
    this.told = null;
    this.run = { name: `${one.name}.toml`, text: one.text };
    $("experiments").value = `${one.kind}/${one.name}`;
    $("question").textContent = one.question ?? (one.look_at ? `Look at: ${one.look_at}` : one.title);
    $("guess-label").hidden = !one.measure;
    $("guess").value = "";
    $("answer").replaceChildren();
    $("tries").replaceChildren(...this.lesson(one));
    for (const id of ["settings", "stage", "more-of-it"]) $(id).hidden = true;
    $("changes").replaceChildren();
    this.wrong($("mistakes"), []);
    delete document.body.dataset.shown;
  }

  lesson(one) {
    if (!one.lesson) return [];
    const box = el("details", { class: "lesson" }, el("summary", {}, "The lesson"));
    const text = el("div", {});
    text.innerHTML = one.lesson; // made from our own lessons when the folder was written
    box.append(text);
    return [box];
  }

  /* The first run of an experiment, with the reader's prediction. */
  async first() {
    this.guess = $("guess").value === "" ? null : Number($("guess").value);
    await this.ask("run", this.run);
  }

  answer() {
    const { measure, because, tries } = this.experiment;
    if (!measure || this.answered === this.experiment) return;
    this.answered = this.experiment;
    const found = this.told.numbers[0][measure];
    const said = this.guess === null ? "" : this.guess === found ? " As you said." : ` You said ${this.guess}.`;
    const inWords = el("p", { class: "found" }, el("b", { id: "found" }, grouped(found)), ` ${COUNTED[measure] ?? measure}.${said}`);
    const isItsOwn = this.run.text === this.experiment.text; // a link may bring another scenario, of which that need not hold
    $("answer").replaceChildren(inWords, ...(isItsOwn ? [el("p", {}, because)] : []));
    $("tries").replaceChildren(el("details", { open: true }, el("summary", {}, "Now try"), el("ol", {}, ...tries.map((each) => el("li", {}, each)))));
  }

  // Runs.

  /* A change that the reader makes: it can be undone. Of several that wait only the last is done. */
  async change(name, values) {
    if (!this.told) return;
    this.wanted = [name, values];
    if (this.changing) return;
    this.changing = true;
    while (this.wanted) {
      const [wanted, given] = this.wanted;
      this.wanted = null;
      const before = this.told.text;
      if ((await this.ask(wanted, given)) && this.told.text !== before) this.undone.push(before);
      $("undo").disabled = !this.undone.length;
    }
    this.changing = false;
  }

  async undo() {
    const text = this.undone.pop();
    if (text !== undefined) await this.ask("run", { name: this.run.name, text });
    $("undo").disabled = !this.undone.length;
  }

  runText() {
    const text = $("text").value;
    if (this.told && text !== this.told.text) this.change("run", { name: this.run.name, text });
  }

  /* Ask for a run and show it; whether there was one. */
  async ask(name, values) {
    document.body.dataset.busy = name;
    const slow = setTimeout(() => ($("stop").hidden = false), SLOW);
    try {
      const told = await this.engine.ask(name, values);
      const boxes = [$("mistakes"), $("text-mistakes")];
      boxes.forEach((box) => this.wrong(box, told.mistakes ?? []));
      if (told.mistakes) return false;
      await this.show(told);
      return true;
    } catch (error) {
      const words = error instanceof Stopped ? "Stopped. What is shown is the run before." : error.message;
      this.wrong($("mistakes"), [{ line: null, words }]);
      return false;
    } finally {
      clearTimeout(slow);
      $("stop").hidden = true;
      delete document.body.dataset.busy;
    }
  }

  wrong(box, mistakes) {
    box.replaceChildren(...mistakes.map(({ line, words }) => el("p", { class: "mistake" },
      line ? el("button", { type: "button", onclick: () => this.goToLine(line) }, words) : words)));
  }

  goToLine(line) {
    $("text-part").open = true;
    const lines = $("text").value.split("\n");
    const first = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    $("text").focus();
    $("text").setSelectionRange(first, first + lines[line - 1].length);
  }

  async show(told) {
    const before = this.told;
    const at = before && app.run ? app.run.scenes[app.chosen]?.at ?? 0 : this.restored?.at ?? 0;
    const number = Math.min(before ? app.number ?? 0 : this.restored?.run ?? 0, told.runs.length - 1);
    this.told = told;
    this.run = { name: told.name, text: told.text };
    this.engine.last = this.run;
    for (const id of ["settings", "stage", "more-of-it"]) $(id).hidden = false;
    document.querySelector("#stage h1").textContent = told.title;
    told.about.tools = (packet) => tools.buttons(packet);
    this.board.show(told.controls);
    this.troubles(told);
    await app.replace(told.about, (n) => told.runs[n], number, at);
    this.changes(told);
    this.answer();
    if (document.activeElement !== $("text") || !before) $("text").value = told.text;
    else if (told.text !== $("text").value && told.text !== before.text) $("text").value = told.text;
    $("command").textContent = `tcpemu run ${told.name} -o ${told.name.replace(/\.toml$/, ".pcapng")}`;
    if (this.besideKernel) await this.beside();
    document.body.dataset.shown = (Number(document.body.dataset.shown ?? 0) + 1).toString();
    this.remember();
  }

  changes(told) {
    const notes = (told.notes ?? []).map((words) => el("p", { class: "quiet" }, words));
    const idle = told.idle.map((words) => el("p", { class: "quiet" }, words));
    const shown = told.changes ? [el("h2", {}, "What changed"), ...differencesShown(told.changes[Math.min(app.number, told.changes.length - 1)], "before", "now")] : [];
    $("changes").replaceChildren(...notes, ...shown, ...idle);
  }

  troubles({ troubles }) {
    $("troubles").replaceChildren(...troubles.map(({ table, place, words }) => el("p", { class: "trouble" }, words, " ",
      el("button", { type: "button", onclick: () => this.change("mend", { table, place }) }, "take it back"))));
  }

  now() {
    return app.run?.scenes[app.chosen]?.at ?? 0;
  }

  // Beside, in words, to take away.

  async beside() {
    this.besideKernel = $("kernels").value;
    const found = await this.engine.ask("beside", { kernel: this.besideKernel, run: app.number });
    if (found.mistakes) this.wrong($("beside-changes"), found.mistakes);
    else this.side.show(found, this.besideKernel, this.now());
    this.remember();
  }

  async tell(name, values) {
    const { text, mistakes } = await this.engine.ask(name, values);
    $("words").hidden = false;
    $("words").textContent = text ?? mistakes.map(({ words }) => words).join("\n");
  }

  async take(what) {
    const stem = this.told.name.replace(/\.toml$/, "");
    if (what === "link") {
      await this.remember();
      await navigator.clipboard?.writeText(location.href).catch(() => {});
      $("taken").textContent = "The link is in the address bar, and copied where the browser lets us.";
    } else if (what === "capture") save(await this.engine.ask("capture", { run: app.number }), `${stem}.pcapng`, "application/octet-stream");
    else if (what === "report") save((await this.engine.ask("report")).html, `${stem}.html`, "text/html");
    else save(this.told.text, this.told.name, "application/toml");
  }

  async keyHelp() {
    const area = $("text");
    const line = area.value.slice(0, area.selectionStart).split("\n").length - 1;
    if (line === this.helped || !this.isReady) return;
    this.helped = line;
    const { text } = await this.engine.ask("key_help", { text: area.value, line });
    $("key-help").textContent = text;
  }

  // The link.

  /* Where the reader is, a moment later: not at every step. */
  remember() {
    clearTimeout(this.later);
    if (!this.told) return undefined;
    this.side.follow(this.now());
    return new Promise((done) => {
      this.later = setTimeout(async () => {
        const { kind, name } = this.experiment;
        const state = { x: `${kind}/${name}`, name: this.told.name, text: this.told.text, run: app.number, at: this.now() };
        if (this.guess !== null) state.guess = this.guess;
        if (this.besideKernel) state.kernel = this.besideKernel;
        this.own = await linked(state);
        history.replaceState(null, "", this.own);
        done();
      }, 200);
    });
  }

  async follow() {
    if (location.hash && location.hash === this.own) return;
    const state = await unlinked(location.hash);
    this.besideKernel = null;
    this.side.hide();
    if (state === null || state instanceof Error) {
      this.open("question/");
      if (state) this.wrong($("answer"), [{ line: null, words: state.message }]);
      return;
    }
    this.open(state.x ?? "");
    this.restored = state;
    this.run = { name: state.name, text: state.text };
    $("guess").value = state.guess ?? "";
    if (state.kernel) {
      $("kernels").value = state.kernel;
      $("beside-part").open = true;
    }
    await this.first();
    if (state.kernel) await this.beside();
    this.restored = null;
  }
}

function save(content, name, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const experiments = await (await fetch("experiments.json", { cache: "no-cache" })).json();
const playground = new Playground(experiments);
const app = new App({ runs: [], meanings: {} }, null, () => playground.remember());
const tools = new PacketTools(app, (packet, trouble) => playground.change("trouble", { run: app.number, packet, trouble }));
Object.assign(globalThis, { playground, app }); // for whoever looks at the page with the browser's tools
playground.follow();
