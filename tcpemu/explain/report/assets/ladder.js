/* The ladder: a column for each host, a row for each scene, an arrow for each packet from the scene that sent it to
   the one in which it arrived. Only what can be seen is drawn, so that long runs stay quick. */

const ROW = 28;
const TRAIN_ROW = 44; // pixels of a train that is closed
const PAUSE = 150e6; // a pause as long as this gets room of its own
const PAUSE_ROOM = 18;
const CHUNK = 64; // scenes; arrows are found by the chunks that they cross
const CHARACTER = 6.7; // pixels, of the font on arrows
const STATES_ONLY = 76; // pixels to the right of the last host: for its states, with the queues in short, and in words
const QUEUES_SHORT = 160;
const QUEUES_LONG = 230;
const QUEUES_COLUMN = 84; // pixels from the last host to the queues in short
const TIMES = 74; // pixels of the column of times
const CELL = 9; // pixels of the squares by which it is seen whether words stand upon others
const NOBODY = "no host has this address"; // how a packet is lost that answers a flood
const MARGIN = 400; // pixels drawn above and below what can be seen

class Ladder {
  constructor(run, box, choose) {
    Object.assign(this, { run, box, choose });
    this.rungs = box.querySelector(".rungs");
    this.drawing = box.querySelector("svg");
    this.heads = box.querySelector(".hosts");
    this.decimals = decimalsFor(run.scenes.map((scene) => scene.at));
    this.opened = new Set(); // trains, by their first scenes
    this.join();
    this.trains = new Map(trainsOf(run, this.from));
    this.place();
    this.ignoredQueues();
    this.names();
  }

  /* Where each row stands: a scene by itself, or a train that is closed, whose scenes all stand there. */
  place() {
    const { scenes } = this.run;
    let [y, size] = [ROW, ROW];
    this.ys = new Array(scenes.length);
    this.closed = new Array(scenes.length).fill(null); // the first scene of the closed train that each is in
    for (let n = 0; n < scenes.length; n += 1) {
      const last = this.opened.has(n) ? n : this.trains.get(n) ?? n;
      const own = last > n ? TRAIN_ROW : ROW;
      if (n) y += (size + own) / 2 + (scenes[n].at - scenes[n - 1].at >= PAUSE ? PAUSE_ROOM : 0);
      this.ys.fill(y, n, last + 1);
      if (last > n) this.closed.fill(n, n, last + 1);
      size = own;
      n = last;
    }
    this.height = y + ROW * 2;
  }

  /* Open a train or close it; `all` of them. */
  toggle(first, chosen) {
    if (this.opened.has(first)) this.opened.delete(first);
    else this.opened.add(first);
    this.placeAgain(chosen);
  }

  toggleAll(open, chosen) {
    this.opened = new Set(open ? this.trains.keys() : []);
    this.placeAgain(chosen);
  }

  placeAgain(chosen) {
    this.place();
    this.rungs.style.height = `${this.height}px`;
    this.drawn = null;
    this.draw(chosen);
  }

  /* From which scene to which scene each packet goes. */
  join() {
    const { scenes, packets } = this.run;
    this.from = new Array(packets.length);
    this.to = new Array(packets.length);
    this.nth = new Array(packets.length).fill(0); // of those that its scene sent
    scenes.forEach((scene, n) => {
      (scene.sent ?? []).forEach((packet, k) => {
        this.from[packet] = n;
        this.nth[packet] = k;
      });
      if (scene.packet !== undefined) this.to[scene.packet] = n;
    });
    packets.forEach((packet, n) => {
      if (packet.copy_of !== undefined) this.from[n] = this.from[packet.copy_of] ?? this.to[n];
      if (packet.row === undefined) return;
      this.from[n] = packet.row; // of a capture: it leaves and arrives in one row
      this.to[n] = packet.lost === undefined ? packet.row : undefined;
    });
    this.chunks = [];
    packets.forEach((_, n) => {
      const [first, last] = [this.from[n], this.to[n] ?? this.from[n]];
      for (let chunk = chunkOf(first); chunk <= chunkOf(last); chunk += 1) (this.chunks[chunk] ??= []).push(n);
    });
  }

  /* Where a packet is ignored, the queues are told although they did not change. */
  ignoredQueues() {
    const now = new Map();
    this.told = this.run.scenes.map((scene) => {
      for (const queue of scene.queues ?? []) now.set(queue[0], queue);
      if (scene.queues) return scene.queues[scene.queues.length - 1];
      if (!scene.ignored || scene.packet === undefined) return null;
      const port = Number(this.run.packets[scene.packet].target.split(":").pop());
      const listener = this.run.listeners.findIndex((one) => one.host === scene.host && one.port === port);
      return now.get(listener) ?? null;
    });
  }

  /* Whether packets have to say whose they are: where a host has more than one connection. */
  names() {
    const seen = new Map();
    for (const packet of this.run.packets) {
      const host = this.run.hosts[packet.sender].right ? packet.receiver : packet.sender;
      if (!seen.has(host)) seen.set(host, new Set());
      seen.get(host).add(packet.who);
    }
    this.several = [...seen.values()].some((names) => names.size > 1);
  }

  /* Columns for the room there is. */
  layout(room = this.box.clientWidth - 18) {
    const narrow = room < 620;
    const gaps = this.run.hosts.length - 1;
    const tight = 180 + 96 * gaps + QUEUES_LONG > room;
    const left = narrow && gaps < 2 ? 168 : narrow ? 144 : tight ? 160 : 180;
    const least = narrow ? (gaps > 2 ? 51 : 76) : tight ? 84 : 96;
    const right = narrow ? STATES_ONLY : tight ? QUEUES_SHORT : Math.max(QUEUES_LONG, this.longestBeside());
    const step = gaps ? Math.max(least, (room - left - right) / gaps) : 0;
    this.brief = tight; // after what is measured in full
    this.queueWords = narrow ? () => "" : tight ? shortQueueWords : longQueueWords;
    this.queueColumn = tight && !narrow ? QUEUES_COLUMN : null;
    this.xs = this.run.hosts.map((_, n) => left + n * step);
    this.width = left + step * gaps + right;
    this.rungs.style.width = this.heads.style.width = `${this.width}px`;
    this.rungs.style.height = `${this.height}px`;
    this.heads.replaceChildren();
    fill(this.heads, {}, [
      el("i", {}, "time (s)"),
      this.queueColumn && el("i", { style: `left:${this.xs[gaps] + QUEUES_COLUMN}px` }, "accept syn"),
      this.run.hosts.map((host, n) =>
        el("span", { style: `left:${this.xs[n]}px;max-width:${Math.max(step, least) - 4}px`, title: host.name }, host.name, el("small", {}, host.address)),
      ),
    ]);
    this.drawn = null;
  }

  /* How wide the widest words beside a host on the right are, with the queues. */
  longestBeside() {
    if (this.longest) return this.longest;
    this.brief = false;
    const sizes = this.run.scenes.map((scene, n) => {
      if (!this.run.hosts[scene.host].right || !this.told[n]) return 0;
      return this.tagWords(scene)[0].length + 2 + longQueueWords(this.told[n]).length;
    });
    this.longest = 14 + CHARACTER * sizes.reduce((most, size) => Math.max(most, size), 0);
    return this.longest;
  }

  /* Draw what can be seen; `all` draws everything, for print. */
  draw(chosen, all = false) {
    if (!this.run.scenes.length) return;
    const top = all ? 0 : Math.max(0, this.box.scrollTop - MARGIN);
    const bottom = all ? this.height : Math.min(this.height, this.box.scrollTop + this.box.clientHeight + MARGIN);
    const first = Math.max(0, firstNotBelow(this.ys.length, (n) => this.ys[n], top) - 1);
    const last = Math.min(this.ys.length - 1, firstNotBelow(this.ys.length, (n) => this.ys[n], bottom));
    const drawn = `${first} ${last} ${chosen} ${this.width}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    fill(this.drawing, { width: this.width, height: bottom - top, viewBox: `0 ${top} ${this.width} ${bottom - top}` }, []);
    this.drawing.style.top = `${top}px`;
    this.drawing.replaceChildren(
      ...this.parted(first, last),
      ...this.lives(top, bottom),
      ...this.here(chosen, first, last),
      ...this.arrows(first, last, chosen),
    );
  }

  lives(top, bottom) {
    return this.xs.map((x) => svg("line", { class: "life", x1: x, x2: x, y1: top, y2: bottom }));
  }

  /* Rows in which one of two ladders has what the other has not. */
  parted(first, last) {
    const rows = [];
    for (let n = first; n <= last; n += 1) {
      const { parts } = this.run.scenes[n];
      if (parts) rows.push(svg("rect", { class: `parts ${parts}`, x: 0, y: this.ys[n] - ROW / 2, width: this.width, height: ROW }));
    }
    return rows;
  }

  here(chosen, first, last) {
    if (chosen < first || chosen > last) return [];
    const size = this.sizeOf(chosen);
    return [svg("rect", { class: "here", x: 0, y: this.ys[chosen] - size / 2, width: this.width, height: size })];
  }

  /* How high the row of a scene is. */
  sizeOf(n) {
    return this.closed[n] === null ? ROW : TRAIN_ROW;
  }

  arrows(first, last, chosen) {
    const found = new Set();
    for (let chunk = chunkOf(first); chunk <= chunkOf(last); chunk += 1) for (const n of this.chunks[chunk] ?? []) found.add(n);
    const packets = [...found]
      .filter((n) => this.from[n] <= last && (this.to[n] ?? this.from[n] + 1) >= first)
      .sort((a, b) => a - b);
    const arrows = this.together(packets);
    // Words above all lines, so that no line runs through them.
    return [
      ...arrows.map((some) => this.arrow(some, chosen)),
      ...this.rows(first, last, chosen),
      ...this.labels(arrows, chosen, this.tagCells(first, last)),
      this.times(first, last, chosen),
    ];
  }

  /* One arrow for the packets of a kind that go from one row to another, where one of the rows is a closed train. */
  together(packets) {
    const found = new Map();
    for (const n of packets) {
      const packet = this.run.packets[n];
      const [from, to] = [this.closed[this.from[n]], this.to[n] === undefined ? null : this.closed[this.to[n]]];
      const joins = (from !== null || to !== null) && isPlainPacket(packet) && this.to[n] !== undefined;
      const ends = `${from ?? this.from[n]} ${to ?? this.to[n]} ${packet.who} ${packet.sender} ${packet.length ? "data" : "ack"}`;
      const key = joins ? ends : n;
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(n);
    }
    return [...found.values()];
  }

  /* The closed train at one end of an arrow. */
  trainOf(n) {
    return this.closed[this.to[n] ?? this.from[n]] ?? this.closed[this.from[n]];
  }

  /* The times stay where they can be seen when a narrow window is scrolled sideways. */
  times(first, last, chosen) {
    const height = this.ys[last] - this.ys[first] + 2 * ROW;
    const ground = svg("rect", { class: "ground", x: 0, y: this.ys[first] - ROW, width: TIMES, height });
    const found = [];
    for (let n = first; n <= last; n += 1) if (this.leads(n, first)) found.push(...this.time(n, chosen));
    this.moments = svg("g", {}, ground, ...found);
    this.keepTimes();
    return this.moments;
  }

  /* Whether its row is told at this scene: of a closed train that is its first one. */
  leads(n, first) {
    return this.closed[n] === null || this.closed[n] === n || n === first;
  }

  time(n, chosen) {
    const train = this.closed[n];
    const [scene, y, size] = [this.run.scenes[train ?? n], this.ys[n], this.sizeOf(n)];
    const before = (train ?? n) ? this.run.scenes[(train ?? n) - 1].at : null;
    const pause = before !== null && scene.at - before >= PAUSE;
    const here = train === null ? n === chosen : this.closed[chosen] === train;
    const opens = train ?? (this.trains.has(n) ? n : null);
    const handle = opens === null ? null : this.handle(opens, train, y, chosen);
    return [
      here && svg("rect", { class: "here", x: 0, y: y - size / 2, width: TIMES, height: size }),
      pause && svg("text", { class: "pause", x: 10, y: y - size / 2 - 6 }, `⋮ ${duration(scene.at - before)} later`),
      svg("text", { class: before === scene.at ? "when same" : "when", x: 68, y: y + (train === null ? 4 : -4) }, seconds(scene.at, this.decimals)),
      handle,
    ];
  }

  /* What opens a train, or closes it again. */
  handle(first, closed, y, chosen) {
    const count = this.trains.get(first) - first + 1;
    const words = closed === null ? "▾" : `▸ ${grouped(count)}`;
    const title = `${grouped(count)} events in a train: ${closed === null ? "close" : "open"} it`;
    const open = (event) => {
      event.stopPropagation();
      this.toggle(first, chosen);
    };
    const place = closed === null ? { x: 2, y: y + 4 } : { x: 68, y: y + 11, "text-anchor": "end" };
    return svg("text", { class: "handle", "data-train": first, ...place, onclick: open }, words, svg("title", {}, title));
  }

  keepTimes() {
    const left = this.box.scrollLeft;
    this.moments?.setAttribute("transform", `translate(${left} 0)`);
    const head = this.heads.querySelector("i");
    if (head) head.style.left = `${left + 8}px`;
  }

  arrow(some, chosen) {
    const n = some[0];
    const packet = this.run.packets[n];
    const ends = this.ends(n);
    const gone = packet.lost !== undefined;
    const kind = `arrow ${gone ? "gone" : packet.role}`;
    const chosenOne = some.some((each) => this.isOf(each, chosen));
    const thick = some.length > 1 ? `stroke-width:${Math.min(9, 2 + Math.log2(some.length))}px` : null;
    return svg(
      "g",
      {
        class: chosenOne ? `${kind} chosen` : kind,
        "data-packet": n,
        "data-count": some.length,
        onclick: (event) => this.pick(event, some, chosen),
      },
      svg("line", { ...ends, style: thick }),
      gone
        ? svg("text", { class: "cross", x: ends.x2, y: ends.y2 + 5 }, "✗")
        : this.to[n] !== undefined && this.head(ends),
    );
  }

  /* Whether a packet was sent in this scene, or arrived in it. */
  isOf(n, scene) {
    return this.from[n] === scene || this.to[n] === scene;
  }

  /* Where an arrow begins and ends. One that was lost breaks off; one that is still on its way fades out. */
  ends(n) {
    const packet = this.run.packets[n];
    const [from, to] = [this.from[n], this.to[n]];
    const x1 = this.xs[packet.sender];
    const y1 = this.ys[from];
    if (to !== undefined) return { x1, y1, x2: this.xs[packet.receiver], y2: this.ys[to] };
    const target = packet.receiver === undefined ? x1 + 120 : this.xs[packet.receiver];
    return { x1, y1, x2: x1 + (target - x1) * 0.62, y2: y1 + ROW * 0.62 };
  }

  head(ends) {
    const { x2, y2 } = ends;
    const angle = slope(ends);
    return svg("path", { d: "M0 0 L-10 -4.2 L-10 4.2 Z", transform: `translate(${x2} ${y2}) rotate(${angle})` });
  }

  /* The words of the arrows, none upon another: those of the chosen scene first, then of what was lost or sent again. */
  labels(arrows, chosen, taken) {
    const trouble = ({ lost, repeat }) => (lost && lost !== NOBODY) || repeat;
    const isHere = (some) => some.some((n) => this.isOf(n, chosen));
    const rank = (some) => (isHere(some) ? 0 : trouble(this.run.packets[some[0]]) ? 1 : some.length > 1 ? 2 : 3);
    const order = [...arrows].sort((a, b) => rank(a) - rank(b) || a[0] - b[0]);
    const made = new Map(order.map((some) => [some[0], this.words(some, chosen, taken)]));
    return arrows.map((some) => made.get(some[0])).filter(Boolean);
  }

  /* What the words beside the hosts cover: no label goes there. */
  tagCells(first, last) {
    const taken = new Set();
    for (let n = first; n <= last; n += 1) {
      const scene = this.run.scenes[n];
      if (this.closed[n] !== null) continue;
      const size = this.tagWords(scene)[0].length * CHARACTER;
      const [x, way] = [this.xs[scene.host], this.run.hosts[scene.host].right ? 1 : -1];
      for (let at = 9; size && at <= 9 + size; at += CELL / 2)
        taken.add(cellOf(x + way * at, this.ys[n] + 3)).add(cellOf(x + way * at, this.ys[n] - 3));
    }
    return taken;
  }

  /* Along the arrow, as much as it has room for; shorter and elsewhere where others are, or not at all. */
  words(some, chosen, taken) {
    const n = some[0];
    const ends = this.ends(n);
    const length = Math.hypot(ends.x2 - ends.x1, ends.y2 - ends.y1);
    const room = Math.floor((length - 26) / CHARACTER);
    for (const text of some.length > 1 ? this.trainWords(some, room) : this.wordings(n, room)) {
      const size = text.length * CHARACTER;
      for (const along of this.placesAlong(n, size, length)) {
        const cells = cellsOf(ends, length, along * length, size);
        if (cells.some((cell) => taken.has(cell))) continue;
        cells.forEach((cell) => taken.add(cell));
        return this.label(some, chosen, text, ends, along);
      }
    }
    return null;
  }

  trainWords(some, room) {
    const packets = some.map((n) => this.run.packets[n]);
    const who = this.several ? `${packets[0].who} ` : "";
    const found = trainWordings(packets).map((words) => who + words);
    return found.filter((words) => words.length <= room || words === found.at(-1));
  }

  /* Where it may stand, as a part of the arrow: at its beginning (what was sent at once one behind the other), else further on. */
  placesAlong(n, size, length) {
    const [least, most] = [Math.min(0.5, (30 + size / 2) / length), 1 - (size / 2 + 16) / length];
    const begins = 30 + this.nth[n] * (size + 16);
    const first = Math.max(least, Math.min((begins + size / 2) / length, most));
    return [first, ...[0, 0.25, 0.5, 0.75, 1].map((part) => least + (Math.max(least, most) - least) * part)];
  }

  /* What may be said, the longest first. */
  wordings(n, room) {
    const packet = this.run.packets[n];
    const words = [
      this.several ? packet.who : "",
      packet.flags,
      packet.length ? `len ${packet.length}` : "",
      `seq ${packet.seq}`,
      packet.ack === undefined ? "" : `ack ${packet.ack}`,
      packet.repeat ? `(again, ${packet.repeat})` : "",
      `win ${packet.window}`,
    ].filter(Boolean);
    const least = this.several ? 2 : 1;
    while (words.length > least && words.join(" ").length > room) words.pop();
    const found = [words.join(" ")];
    while (words.length > least) {
      words.pop();
      found.push(words.join(" "));
    }
    return this.several ? [...found, packet.flags] : found;
  }

  label(some, chosen, text, ends, along) {
    const { x1, y1, x2, y2 } = ends;
    const angle = slope(ends);
    const [x, y] = [x1 + (x2 - x1) * along, y1 + (y2 - y1) * along];
    const upright = Math.abs(angle) > 90 ? angle - 180 : angle;
    return svg(
      "text",
      {
        class: some.some((n) => this.isOf(n, chosen)) ? "words chosen" : "words",
        "data-packet": some[0],
        "data-count": some.length,
        y: some.length > 1 ? -7 : -5,
        transform: `translate(${x} ${y}) rotate(${upright})`,
        onclick: (event) => this.pick(event, some, chosen),
      },
      text,
    );
  }

  rows(first, last, chosen) {
    const found = [];
    for (let n = first; n <= last; n += 1) {
      if (this.closed[n] === null) found.push(this.row(n, chosen));
      else if (this.leads(n, first)) found.push(this.train(this.closed[n], chosen));
    }
    return found;
  }

  /* A closed train: a dot on each host that has a part in it. */
  train(first, chosen) {
    const last = this.trains.get(first);
    const hosts = new Set(this.run.scenes.slice(first, last + 1).map((scene) => scene.host));
    const kind = chosen >= first && chosen <= last ? "dot chosen" : "dot";
    return svg(
      "g",
      { "data-scene": first },
      ...[...hosts].map((host) => svg("rect", { class: kind, x: this.xs[host] - 4, y: this.ys[first] - 9, width: 8, height: 18, rx: 4 })),
    );
  }

  row(n, chosen) {
    const scene = this.run.scenes[n];
    const y = this.ys[n];
    return svg(
      "g",
      { "data-scene": n },
      svg("circle", { class: n === chosen ? "dot chosen" : "dot", cx: this.xs[scene.host], cy: y, r: scene.kind === "call" ? 4.5 : 3 }),
      this.tag(scene, n, y),
      scene.frame && svg("text", { class: "frame", x: this.xs[0] - 9, y: y + 4, "text-anchor": "end" }, grouped(scene.frame)),
    );
  }

  /* What the host makes of it, beside its line: its new state, or the call; on the right side the queues too. */
  tag(scene, n, y) {
    const right = this.run.hosts[scene.host].right;
    const [text, kind] = this.tagWords(scene);
    const queue = right && this.told[n] ? this.queueWords(this.told[n]) : "";
    const x = this.xs[scene.host];
    const beside = { x: x + (right ? 9 : -9), y: y + 4, "text-anchor": right ? "start" : "end" };
    const apart = { class: "queue", x: x + (this.queueColumn ?? 0), y: y + 4 };
    const gap = text ? "  " : "";
    return [
      svg("text", beside, svg("tspan", { class: `tag ${kind}` }, text), !this.queueColumn && svg("tspan", { class: "queue" }, gap + queue)),
      this.queueColumn && queue && svg("text", apart, queue),
    ];
  }

  tagWords(scene) {
    if (scene.ignored) return [scene.ignored, "ignored"];
    if (scene.states) return [scene.states[scene.states.length - 1], ""];
    if (scene.answered) return [this.brief ? scene.answered.split(" ")[0] : scene.answered, "answered"];
    if (scene.kind !== "call") return ["", ""];
    const name = `${scene.text.split("(")[0]}()`;
    if (this.brief) return [isErrno(scene.result) ? scene.result : name, "call"];
    return [isErrno(scene.result) ? `${name} ${scene.result}` : scene.result ? `${name} done` : name, "call"];
  }

  pick(event, some, chosen) {
    event.stopPropagation();
    const packet = some[0];
    if (some.length > 1) {
      this.toggle(this.trainOf(packet), chosen);
      return;
    }
    const down = event.clientY - this.drawing.getBoundingClientRect().top + parseFloat(this.drawing.style.top);
    const [from, to] = [this.from[packet], this.to[packet] ?? this.from[packet]];
    this.choose(Math.abs(this.ys[from] - down) < Math.abs(this.ys[to] - down) ? from : to);
  }

  /* The scene nearest to a height. */
  at(y) {
    const next = Math.min(firstNotBelow(this.ys.length, (n) => this.ys[n], y), this.ys.length - 1);
    return next > 0 && y - this.ys[next - 1] < this.ys[next] - y ? next - 1 : next;
  }

  /* Scroll so that the scene can be seen, with some of what comes before and after it. */
  show(scene) {
    const y = this.ys[scene] ?? 0;
    const { scrollTop, clientHeight } = this.box;
    if (y < scrollTop + 90 || y > scrollTop + clientHeight - 90) this.box.scrollTop = y - clientHeight / 2;
    const x = this.xs[this.run.scenes[scene]?.host] ?? 0;
    const { scrollLeft, clientWidth } = this.box;
    if (x < scrollLeft + 70 || x > scrollLeft + clientWidth - 80) this.box.scrollLeft = x - clientWidth / 2;
  }
}

const chunkOf = (scene) => Math.floor(scene / CHUNK);

/* A square of that grid, as one number. */
const cellOf = (x, y) => Math.floor(x / CELL) * 1e6 + Math.floor(y / CELL);

/* The squares of a grid that a label covers, and those beside them. */
function cellsOf({ x1, y1, x2, y2 }, length, middle, size) {
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const found = new Set();
  for (let at = middle - size / 2; at <= middle + size / 2; at += CELL / 2) {
    // Words stand above the line as they are read.
    const up = dx < 0 ? -8 : 8;
    const [x, y] = [x1 + dx * at + dy * up, y1 + dy * at - dx * up];
    for (const [a, b] of [[0, 0], [CELL / 2, 0], [-CELL / 2, 0], [0, CELL / 2], [0, -CELL / 2]])
      found.add(cellOf(x + a, y + b));
  }
  return [...found];
}

const slope = ({ x1, y1, x2, y2 }) => (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;

const longQueueWords = ([, accept, syn, backlog]) => `accept ${accept}/${backlog} syn ${syn}/${backlog}`;
const shortQueueWords = ([, accept, syn, backlog]) => `${accept}/${backlog} ${syn}/${backlog}`;
