/* The time line: both queues of the listener against time, and a cursor to drag. It spans what happens: a run may go
   on for long after its last event. */

const FAR = 6; // times the longest that a queue got
const EDGE = 34; // pixels left free on both sides

class Timeline {
  constructor(run, box, choose) {
    Object.assign(this, { run, box, choose });
    this.even = false;
    this.span = Math.max(1, run.scenes.at(-1)?.at ?? run.ended);
    box.onpointerdown = (event) => this.drag(event);
    box.onpointermove = (event) => event.buttons && this.drag(event);
    this.changes = this.listeners();
  }

  /* For each listener the scenes that changed its queues. */
  listeners() {
    const found = this.run.listeners.map(() => []);
    this.run.scenes.forEach((scene, n) => {
      for (const [number, accept, syn, , acceptLimit] of scene.queues ?? [])
        found[number].push({ n, accept, syn, limit: acceptLimit ?? 0 });
    });
    return found;
  }

  x(scene) {
    const [low, high] = [EDGE, this.width - EDGE];
    if (this.even) return low + ((high - low) * scene) / Math.max(1, this.run.scenes.length - 1);
    const at = scene < 0 ? 0 : this.run.scenes[scene].at;
    return low + ((high - low) * at) / this.span;
  }

  drag(event) {
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    const part = (event.clientX - this.box.getBoundingClientRect().left - EDGE) / (this.width - 2 * EDGE);
    const last = this.run.scenes.length - 1;
    if (this.even) return this.choose(Math.max(0, Math.min(last, Math.round(part * last))));
    const { scenes } = this.run;
    const wanted = part * this.span;
    const next = Math.min(firstNotBelow(scenes.length, (n) => scenes[n].at, wanted), last);
    const nearer = next > 0 && wanted - scenes[next - 1].at < scenes[next].at - wanted ? next - 1 : next;
    return this.choose(nearer);
  }

  draw(chosen) {
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    this.low = this.height - 20;
    const most = this.most();
    const curves = this.changes.flat().some((change) => change.limit > most) ? ["syn", "accept"] : ["limit", "syn", "accept"];
    this.box.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    const drawing = svg("g", { "aria-hidden": "true" },
      svg("line", { class: "axis", x1: EDGE, x2: this.width - EDGE, y1: this.low, y2: this.low }),
      svg("text", { x: 2, y: 12 }, `${most}`),
      svg("text", { x: 2, y: this.low }, "0"),
      ...this.ticks(),
      ...this.changes.flatMap((changes) => curves.map((which) => this.curve(changes, which, most))),
      ...this.crosses(),
      (this.cursor = svg("g", {}, svg("line", { class: "cursor", y1: 0, y2: this.low }), svg("circle", { class: "knob", r: 5, cy: this.low }))),
    );
    this.box.replaceChildren(drawing);
    this.move(chosen);
  }

  /* What the height stands for: the longest queue, and its limit unless that is far away. */
  most() {
    const all = this.changes.flat();
    const longest = all.reduce((largest, { accept, syn }) => Math.max(largest, accept, syn), 1);
    const limit = all.reduce((largest, change) => Math.max(largest, change.limit), 1);
    return limit <= longest * FAR ? Math.max(longest, limit) : longest;
  }

  ticks() {
    if (this.even) return [svg("text", { x: EDGE, y: this.height - 5 }, `events 1 to ${grouped(this.run.scenes.length)}`)];
    const ended = this.span / 1e9;
    const rough = ended / 6;
    const size = 10 ** Math.floor(Math.log10(rough || 1));
    const step = [1, 2, 5, 10].map((factor) => factor * size).find((each) => each >= rough);
    const found = [];
    for (let at = 0; at <= ended + 1e-9; at += step) {
      const x = EDGE + ((this.width - 2 * EDGE) * at) / (ended || 1);
      found.push(svg("line", { class: "axis", x1: x, x2: x, y1: this.low, y2: this.low + 4 }));
      found.push(svg("text", { x, y: this.height - 5, "text-anchor": "middle" }, `${Number(at.toPrecision(4))} s`));
    }
    return found;
  }

  /* A queue as a line of steps; of the changes within one pixel the largest and the last. */
  curve(changes, which, most) {
    const y = (length) => this.low - ((this.low - 6) * length) / most;
    const points = [];
    let [column, largest, last] = [null, 0, 0];
    const flush = () => column !== null && points.push(`L${column} ${y(largest)}L${column} ${y(last)}`);
    for (const change of changes) {
      const x = Math.round(this.x(change.n) * 2) / 2;
      if (x !== column) {
        flush();
        if (column !== null) points.push(`L${x} ${y(last)}`);
        [column, largest] = [x, change[which]];
      }
      [largest, last] = [Math.max(largest, change[which]), change[which]];
    }
    flush();
    const begin = changes.length ? `M${Math.round(this.x(changes[0].n) * 2) / 2} ${y(0)}` : "M0 0";
    const end = changes.length ? `L${this.width - EDGE} ${y(last)}` : "";
    return svg("path", { class: which, d: begin + points.join("") + end });
  }

  /* Where something was ignored, dropped or lost; no two within a few pixels. */
  crosses() {
    const found = [];
    let before = -Infinity;
    this.run.scenes.forEach((scene, n) => {
      const lost = (scene.sent ?? []).some((packet) => this.run.packets[packet].lost);
      if (!scene.ignored && !lost) return;
      const x = this.x(n);
      if (x < before + 5) return;
      before = x;
      found.push(svg("text", { class: "cross", x, y: this.low + 4 }, "✗"));
    });
    return found;
  }

  move(chosen) {
    this.cursor?.setAttribute("transform", `translate(${this.x(Math.max(0, chosen))} 0)`);
  }
}
