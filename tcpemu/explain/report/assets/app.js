/* Opens a run and moves from scene to scene. */

const PLAY_EVERY = 700; // milliseconds
const SHEET = 700; // pixels that a printed page is wide
const SCROLLING = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "]); // keys that scroll the panel
const PRINTED = 2000; // scenes of a ladder that is printed whole

class App {
  /* `about` is what is told of the runs, `load` gives the data of one, `remember` keeps where the reader is. */
  constructor(about, load, remember) {
    Object.assign(this, { about, load, remember });
    this.opened = new Map();
    this.size = new ResizeObserver(() => this.resized());
    this.listen();
    this.choices();
  }

  // Runs.

  choices() {
    const box = document.getElementById("runs");
    box.replaceChildren(...this.about.runs.map((run, n) => el("option", { value: n }, run.name || "the only one")));
    document.getElementById("choice").hidden = this.about.runs.length < 2;
    box.onchange = () => {
      document.getElementById("ladder").focus(); // so that the keys step
      this.open(Number(box.value));
    };
  }

  /* Other runs in the place of these; `at`, in ns, is the moment that is looked for. */
  async replace(about, load, number, at) {
    Object.assign(this, { about, load });
    this.opened.clear();
    this.choices();
    this.opened.set(number, await load(number));
    await this.open(number, sceneAt(this.opened.get(number), at));
  }

  async open(number, scene = null) {
    this.stop();
    this.wanted = number;
    if (!this.opened.has(number)) this.opened.set(number, await this.load(number));
    if (this.wanted !== number) return; // another one was chosen meanwhile
    const run = this.opened.get(number);
    this.head(this.about.runs[number]);
    document.getElementById("runs").value = number;
    Object.assign(this, { number, run, chosen: 0, replay: new Replay(run) });
    const choose = (wanted) => this.go(wanted);
    this.ladder = new Ladder(run, document.getElementById("ladder"), choose);
    document.getElementById("whole-choice").hidden = !this.ladder.trains.size;
    document.getElementById("whole").checked = false;
    this.timeline = new Timeline(run, document.getElementById("timeline"), choose);
    this.timeline.even = document.getElementById("even").checked;
    this.panel = new Panel(run, this.about, choose);
    document.getElementById("ladder").scrollTop = 0;
    this.resized();
    this.go(scene ?? 0);
    document.body.dataset.ready = number;
  }

  head({ facts, about, look_at: look }) {
    document.getElementById("facts").textContent = facts;
    document.getElementById("look").hidden = !look;
    document.getElementById("look").textContent = look ? `Look at: ${look}` : "";
    document.getElementById("background").hidden = !about;
    document.getElementById("about-text").textContent = about;
  }

  // Moving.

  go(wanted) {
    if (!this.run?.scenes.length) return;
    this.chosen = Math.max(0, Math.min(this.run.scenes.length - 1, wanted));
    this.panel.show(this.replay.to(this.chosen));
    this.ladder.show(this.chosen);
    this.ladder.draw(this.chosen);
    this.timeline.move(this.chosen);
    this.say();
  }

  say() {
    const scene = this.run.scenes[this.chosen];
    const words = `${seconds(scene.at, this.ladder.decimals)} s · event ${grouped(this.chosen + 1)} of ${grouped(this.run.scenes.length)}`;
    document.getElementById("clock").textContent = words;
    const slider = document.getElementById("timeline");
    slider.setAttribute("aria-valuetext", words);
    slider.setAttribute("aria-valuenow", this.chosen + 1);
    slider.setAttribute("aria-valuemin", 1);
    slider.setAttribute("aria-valuemax", this.run.scenes.length);
    this.remember(this.number, this.chosen);
  }

  turn(forward) {
    const place = this.panel.next(this.chosen, forward);
    if (place !== undefined) this.go(place);
  }

  play() {
    if (this.playing) return this.stop();
    document.getElementById("scene").setAttribute("aria-live", "off");
    this.playing = setInterval(() => {
      if (this.chosen >= this.run.scenes.length - 1) this.stop();
      else this.go(this.chosen + 1);
    }, PLAY_EVERY);
    document.querySelector("[data-go=play]").textContent = "■";
    return undefined;
  }

  stop() {
    clearInterval(this.playing);
    this.playing = null;
    document.getElementById("scene").setAttribute("aria-live", "polite");
    document.querySelector("[data-go=play]").textContent = "▶▶";
  }

  resized() {
    if (!this.run) return;
    this.ladder.layout();
    this.ladder.draw(this.chosen);
    this.timeline.draw(this.chosen);
  }

  print() {
    if (!this.run) return;
    this.ladder.layout(SHEET);
    this.ladder.draw(this.chosen, this.run.scenes.length <= PRINTED);
  }

  // What people do.

  listen() {
    const ladder = document.getElementById("ladder");
    ladder.addEventListener("scroll", () => requestAnimationFrame(() => this.ladder?.draw(this.chosen)));
    ladder.addEventListener("scroll", () => this.ladder?.keepTimes());
    document.getElementById("rungs").onclick = (event) => {
      const top = document.getElementById("rungs").getBoundingClientRect().top;
      this.go(this.ladder.at(event.clientY - top));
    };
    this.size.observe(ladder);
    document.getElementById("even").onchange = (event) => {
      this.timeline.even = event.target.checked;
      this.timeline.draw(this.chosen);
    };
    document.getElementById("whole").onchange = (event) => this.ladder.toggleAll(event.target.checked, this.chosen);
    document.getElementById("theme").onclick = () => theme();
    document.getElementById("help").onclick = () => help();
    document.getElementById("keys").onclick = () => help(false);
    document.querySelectorAll("[data-go]").forEach((button) => {
      button.onclick = () => this.steer(button.dataset.go);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeprint", () => this.print());
    addEventListener("afterprint", () => this.resized());
  }

  steer(where) {
    if (where === "play") return this.play();
    this.stop();
    const places = { first: 0, back: this.chosen - 1, on: this.chosen + 1, last: this.run.scenes.length - 1 };
    return this.go(places[where]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, textarea, input:not([type=checkbox])")) return;
    if (event.key === " " && event.target.matches("button, summary, input")) return; // it works what has the focus
    if (event.target.closest("#panel") && SCROLLING.has(event.key)) return;
    const action = this.keys()[event.key];
    if (!action) return;
    event.preventDefault();
    if (event.key !== " ") this.stop();
    action();
  }

  keys() {
    const by = (count) => () => this.go(this.chosen + count);
    return {
      ArrowRight: by(1), ArrowDown: by(1), j: by(1), ArrowLeft: by(-1), ArrowUp: by(-1), k: by(-1),
      PageDown: by(10), PageUp: by(-10), Home: () => this.go(0), End: () => this.go(Infinity),
      n: () => this.turn(true), p: () => this.turn(false), " ": () => this.play(), t: () => theme(), "?": () => help(), Escape: () => help(false),
    };
  }
}

/* The last scene that is not after that moment, in ns; -1 where there is none. */
function sceneAt(run, at) {
  return run.scenes.filter((scene) => scene.at <= at).length - 1;
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function help(shown) {
  const keys = document.getElementById("keys");
  keys.hidden = shown === undefined ? !keys.hidden : !shown;
  document.getElementById("help").setAttribute("aria-expanded", String(!keys.hidden));
}
