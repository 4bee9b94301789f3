/* The time line: against time both queues of the listener, where anybody ever waits in them, and the windows of who
   sends data; and a cursor to drag. It spans what happens: a run may go on for long after its last event. */

const FAR = 6; // times the longest that a queue got
const EDGE = 34; // pixels left free on both sides
const TICKS = 20; // pixels below for times
const BETWEEN = 8; // pixels between two panels

class Timeline {
  constructor(run, box, choose) {
    Object.assign(this, { run, box, choose });
    this.even = false;
    this.span = Math.max(1, run.scenes.at(-1)?.at ?? run.ended);
    box.onpointerdown = (event) => this.drag(event);
    box.onpointermove = (event) => event.buttons && this.drag(event);
    this.changes = this.listeners();
    this.windows = windowsOf(run);
    this.queued = !this.windows.length || this.anybodyWaits();
    box.classList.toggle("two", this.queued && this.windows.length > 0);
    document.getElementById("queue-curves").hidden = !this.queued;
    windowLegend(document.getElementById("window-curves"), this.windows);
  }

  /* Whether one connection ever waits behind another, or is ignored: else its queues are no picture. */
  anybodyWaits() {
    const { scenes } = this.run;
    return this.changes.flat().some(({ accept, syn }) => accept > 1 || syn > 1) || scenes.some((scene) => scene.ignored);
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
    return this.xAt(scene < 0 ? 0 : this.run.scenes[scene].at);
  }

  /* Where a moment stands. */
  xAt(at) {
    if (!this.even) return EDGE + ((this.width - 2 * EDGE) * Math.min(at, this.span)) / this.span;
    const { scenes } = this.run;
    return this.x(Math.min(firstNotBelow(scenes.length, (n) => scenes[n].at, at), scenes.length - 1));
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
    this.low = this.height - TICKS;
    const parts = [this.queued && ((top, low) => this.queuePanel(top, low)), this.windows.length && ((top, low) => this.windowPanel(top, low))].filter(Boolean);
    const each = (this.low - BETWEEN * (parts.length - 1)) / parts.length;
    this.box.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    const drawing = svg("g", { "aria-hidden": "true" },
      ...parts.flatMap((part, n) => part(n * (each + BETWEEN), n * (each + BETWEEN) + each)),
      ...this.ticks(),
      ...this.crosses(),
      (this.cursor = svg("g", {}, svg("line", { class: "cursor", y1: 0, y2: this.low }), svg("circle", { class: "knob", r: 5, cy: this.low }))),
    );
    this.box.replaceChildren(drawing);
    this.move(chosen);
  }

  axis(top, low, most) {
    return [
      svg("line", { class: "axis", x1: EDGE, x2: this.width - EDGE, y1: low, y2: low }),
      svg("text", { x: 2, y: top + 12 }, grouped(most)),
      svg("text", { x: 2, y: low }, "0"),
    ];
  }

  queuePanel(top, low) {
    const most = this.most();
    const curves = this.changes.flat().some((change) => change.limit > most) ? ["syn", "accept"] : ["limit", "syn", "accept"];
    const paths = this.changes.flatMap((changes) => curves.map((which) => this.curve(changes, which, most, top, low)));
    return [...this.axis(top, low, most), ...paths];
  }

  windowPanel(top, low) {
    const points = this.windows.flatMap(({ points: some }) => some);
    const most = points.reduce((largest, one) => Math.max(largest, one.cwnd, one.flight), 1);
    const alone = this.windows.length === 1;
    const drawn = this.windows.flatMap((one, n) => {
      const bands = alone ? this.bands(one.points, top, low) : [];
      const curves = (alone ? ["flight", "threshold", "cwnd"] : ["cwnd"]).map((which) => this.curve(one.points, which, most, top, low, n));
      return [...bands, ...curves];
    });
    return [...this.axis(top, low, most), ...drawn];
  }

  /* Where the sender is in Recovery, in Loss or in CWR. */
  bands(points, top, low) {
    const found = [];
    points.forEach((point, n) => {
      if (!BANDS[point.state]) return;
      const [from, to] = [this.xAt(point.at), this.xAt(points[n + 1]?.at ?? this.span)];
      found.push(svg("rect", { class: `band ${BANDS[point.state]}`, x: from, y: top, width: Math.max(1, to - from), height: low - top }));
    });
    return found;
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

  /* A queue or a window as a line of steps; of the changes within one pixel the largest and the last. */
  curve(changes, which, most, top, low, nth = 0) {
    const y = (length) => low - ((low - top - 6) * Math.min(length, most)) / most;
    const place = (change) => Math.round((change.n === undefined ? this.xAt(change.at) : this.x(change.n)) * 2) / 2;
    const known = changes.filter((change) => change[which] !== null);
    const points = [];
    let [column, largest, last] = [null, 0, 0];
    const flush = () => column !== null && points.push(`L${column} ${y(largest)}L${column} ${y(last)}`);
    for (const change of known) {
      const x = place(change);
      if (x !== column) {
        flush();
        if (column !== null) points.push(`L${x} ${y(last)}`);
        [column, largest] = [x, change[which]];
      }
      [largest, last] = [Math.max(largest, change[which]), change[which]];
    }
    flush();
    const begin = known.length ? `M${place(known[0])} ${y(which === "threshold" ? known[0][which] : 0)}` : "M0 0";
    const ground = which === "flight" && known.length ? `V${low}H${place(known[0])}Z` : "";
    const end = known.length ? `L${this.width - EDGE} ${y(last)}${ground}` : "";
    return svg("path", { class: `${which} nth-${nth}`, d: begin + points.join("") + end });
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
