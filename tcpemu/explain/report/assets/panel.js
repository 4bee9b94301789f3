/* What stands beside the ladder: the scene in words, queues, packets, sockets, counters, the story. */

const SLOTS_NAMED = 24; // places of a queue that are drawn with names
const SLOTS_DRAWN = 400; // places that are drawn at all; of more only a bar
const SOCKETS_SHOWN = 30;

class Panel {
  constructor(run, about, choose) {
    Object.assign(this, { run, about, choose });
    this.decimals = decimalsFor(run.scenes.map((scene) => scene.at));
    this.turns = run.story ?? [];
    this.busy = this.busyListeners();
    this.story();
    this.clients();
    legend();
  }

  show(replay) {
    const scene = this.run.scenes[replay.scene];
    this.scene(scene);
    this.queues(replay);
    this.windows(scene);
    this.packets(scene);
    this.sockets(replay, scene);
    this.counters(replay, scene);
    this.turn(replay.scene);
  }

  put(id, title, children) {
    const box = document.getElementById(id);
    const words = title && (this.run.titles?.[id] ?? title);
    box.replaceChildren(...(children.length ? [...(words ? [el("h2", {}, words)] : []), ...children] : []));
  }

  // The scene.

  scene(scene) {
    const host = this.run.hosts[scene.host].name;
    const heading = el("h2", {}, el("span", { class: "at" }, `${seconds(scene.at, this.decimals)} s  `), this.sentence(scene, host));
    const words = scene.kind === "timer" ? scene.text : scene.note;
    const said = words ? [el("p", { class: "verdict" }, words)] : [];
    this.put("scene", "", [heading, ...said]);
  }

  sentence(scene, host) {
    if (scene.says) return scene.says;
    if (scene.kind === "call") return callSentence(scene, host);
    if (scene.kind === "timer") return this.timerSentence(scene, host);
    const packet = this.run.packets[scene.kind === "send" ? scene.sent[0] : scene.packet];
    if (scene.kind === "send") return `${host} sends ${kindOf(packet)}`;
    const from = this.run.hosts[packet.sender].name;
    return `${kindOf(packet)} from ${from} arrives at ${host}${scene.ignored ? `, and is ${scene.ignored}` : scene.answered ? ", and is answered" : ""}`;
  }

  timerSentence(scene, host) {
    const sent = (scene.sent ?? []).map((number) => this.run.packets[number]);
    if (!sent.length) return `a timer of ${host} is due`;
    const again = sent[0].repeat ? " again" : "";
    return `a timer of ${host} is due: it sends ${kindOf(sent[0])}${again}`;
  }

  // Windows.

  windows(scene) {
    const told = windowsOf(this.run).map((one) => [one.who, windowWords(one, scene.at)]).filter(([, words]) => words);
    this.put("windows", "Windows (ss -ti)", told.map(([who, words]) => el("p", {}, el("b", {}, who), ` ${words}`)));
  }

  // Queues.

  queues(replay) {
    const rows = [...replay.queues].filter(([listener]) => replay.listens(listener)).flatMap(([listener, lengths]) => this.queuesOf(replay, listener, lengths));
    this.put("queues", rows.length ? "Queues" : "", rows);
  }

  queuesOf(replay, listener, [accept, syn, backlog, acceptLimit, synLimit]) {
    const { host, port, one_queue: one } = this.run.listeners[listener];
    const waiting = replay.waiting(listener);
    const done = places(accept, waiting.accept, "filled");
    const half = places(syn, waiting.syn, "filled half");
    const where = `${this.run.hosts[host].name}, port ${port}, backlog ${backlog}`;
    if (!accept && !syn && !this.busy.has(listener)) return [this.emptyQueues(listener, where, one, acceptLimit, synLimit)];
    const rows = one
      ? [queueRow(listener, "both", "the one queue: wait for accept(), or for the final ACK", [...done, ...half], acceptLimit)]
      : [
          queueRow(listener, "accept", "accept queue: wait for accept()", done, acceptLimit),
          queueRow(listener, "syn", "SYN queue: wait for the final ACK", half, synLimit),
        ];
    return [el("p", { class: "quiet" }, where), ...rows];
  }

  /* Listeners in whose queues one connection ever waits behind another, and not lost in a large queue. */
  busyListeners() {
    const found = new Set();
    for (const scene of this.run.scenes) for (const [listener, accept, syn, , limit] of scene.queues ?? [])
      if (accept + syn > 1 && accept + syn >= (limit ?? 0) / 8) found.add(listener);
    return found;
  }

  /* Said in a line where the queues never matter: boxes with nothing in them would only take room. */
  emptyQueues(listener, where, one, acceptLimit, synLimit) {
    const lengths = one ? [["both", acceptLimit]] : [["accept", acceptLimit], ["syn", synLimit]];
    const limits = (limit) => (limit === null ? "" : ` of ${grouped(limit)}`);
    const names = { both: "the queue", accept: "accept queue", syn: "SYN queue" };
    return el("p", { class: "quiet" }, `${where}: `, ...lengths.map(([which, limit], n) => el("span",
      { "data-listener": listener, "data-queue": which, "data-length": 0, "data-limit": limit },
      `${n ? ", " : ""}${names[which]} 0${limits(limit)}`)));
  }

  // Packets.

  packets(scene) {
    const arrived = scene.packet === undefined ? [] : [this.card(scene.packet, "arrives")];
    const sent = (scene.sent ?? []).map((packet) => this.card(packet, "leaves"));
    this.put("packets", "", [...arrived, ...sent]);
  }

  card(number, what) {
    const packet = this.run.packets[number];
    const names = [packet.sender, packet.receiver].map((host) => (host === undefined ? "nobody" : this.run.hosts[host].name));
    return el(
      "div",
      { class: "card", "data-packet": number, tabindex: this.about.tools ? 0 : null },
      el("h3", {}, `${packet.flags} ${packet.what ?? what}: ${names[0]} → ${names[1]}`),
      el("dl", { class: "fields" }, ...this.fields(packet).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      packet.comment && el("p", { class: "comment" }, packet.comment),
      this.about.tools?.(number), // what a page around this one can do with it
    );
  }

  fields(packet) {
    const [seq, ack, win] = packet.raw;
    const travelled = packet.arrived === undefined ? "" : ` → ${seconds(packet.arrived, this.decimals)} s, ${duration(packet.arrived - packet.at)}`;
    const fate = packet.row !== undefined ? "" : packet.lost ? ` — ${packet.lost} (in no capture, but with --with-lost)` : packet.arrived === undefined ? " — still on its way when the run ends" : travelled;
    return [
      ["from, to", `${packet.source} → ${packet.target}, TTL ${packet.ttl}`],
      ["time", `${seconds(packet.at, this.decimals)} s${fate}`],
      ["seq", `${packet.seq} (${seq})`],
      packet.ack === undefined ? null : ["ack", `${packet.ack} (${ack})`],
      ["window", `${packet.window} (field ${win})`],
      packet.options ? ["options", packet.options] : null,
      packet.length ? ["data", `${grouped(packet.length)} octets: ${packet.payload}`] : null,
      packet.repeat ? ["sent again", `repeat ${packet.repeat}`] : null,
      packet.copy_of === undefined ? null : ["copy", "made by the link"],
    ].filter(Boolean);
  }

  // Sockets and counters.

  sockets(replay, scene) {
    const changed = new Set((scene.sockets ?? []).map(([number]) => number));
    const tables = this.servers((host, n) => {
      const rows = [...replay.sockets].filter(([number]) => this.run.sockets[number].host === n);
      return rows.length ? this.socketTable(host.name, rows, changed) : null;
    });
    this.put("sockets", "Sockets (ss -tan)", tables);
  }

  /* Something for each host that there is something of; who listens comes first. */
  servers(make) {
    const made = this.run.hosts.map(make);
    const order = (n) => (this.run.hosts[n].right ? 0 : 1);
    return [...made.keys()].sort((a, b) => order(a) - order(b) || a - b).map((n) => made[n]).filter(Boolean);
  }

  socketTable(host, rows, changed) {
    const ordered = rows.sort(([a], [b]) => Number(changed.has(b)) - Number(changed.has(a)) || a - b);
    const shown = ordered.length > SOCKETS_SHOWN ? ordered.slice(0, SOCKETS_SHOWN) : ordered.sort(([a], [b]) => a - b);
    const head = ["State", "Recv-Q", "Send-Q", "Local", "Peer"];
    return el(
      "div",
      { class: "wide", "data-host": host },
      el("h3", {}, host),
      el("table", {},
        el("tr", {}, ...head.map((name) => el("th", { class: name.endsWith("-Q") ? "number" : null }, name))),
        ...shown.map(([number, row]) => this.socketRow(this.run.sockets[number], row, changed.has(number)))),
      shown.length < rows.length && el("p", { class: "rest" }, `… and ${grouped(rows.length - shown.length)} more: ${tally(rows)}`),
    );
  }

  socketRow(socket, [state, received, sent], changed) {
    return el("tr", { class: changed ? "moved" : null },
      el("td", {}, state), el("td", { class: "number" }, String(received)), el("td", { class: "number" }, String(sent)),
      el("td", {}, socket.local), el("td", {}, socket.remote));
  }

  counters(replay, scene) {
    const tables = this.servers((host, n) => {
      const rows = [...replay.counters].filter(([key, value]) => key.startsWith(`${n} `) && value).map(([key, value]) => [key.split(" ")[1], value]);
      return rows.length ? this.counterTable(host.name, rows, scene.host === n ? scene.counted ?? {} : {}) : null;
    });
    const [first, ...others] = tables;
    const rest = others.length ? [el("details", { open: this.opened, ontoggle: (event) => (this.opened = event.target.open) },
      el("summary", {}, "other hosts"), ...others)] : [];
    this.put("counters", "Counters that moved (nstat)", first ? [first, ...rest] : []);
  }

  counterTable(host, rows, moved) {
    return el("div", { "data-host": host }, el("h3", {}, host), el("table", {},
      el("tr", {}, ...["Counter", "Sum", "Now", "What it counts"].map((name) => el("th", { class: name === "Sum" ? "number" : null }, name))),
      ...rows.map(([name, value]) =>
      el("tr", { class: moved[name] ? "moved" : null },
        el("td", {}, name), el("td", { class: "number" }, grouped(value)),
        el("td", {}, moved[name] ? `${moved[name] > 0 ? "+" : ""}${moved[name]}` : ""),
        el("td", { class: "meaning" }, this.about.meanings[name] ?? "")))));
  }

  // The story.

  story() {
    const list = el("ol", {}, ...this.turns.map((turn) => el("li", {},
      el("button", { type: "button", onclick: () => this.choose(turn.scene) }, `${Number((turn.at / 1e9).toFixed(6))} s  ${turn.title}`))));
    this.put("story", "The story", this.turns.length ? [list, el("div", { id: "turn" })] : []);
  }

  /* The paragraph of the turning point that was passed last. */
  turn(scene) {
    const passed = this.turns.filter((turn) => turn.scene <= scene).length - 1;
    document.querySelectorAll("#story button").forEach((button, n) => fill(button, { "aria-current": n === passed ? "step" : "false" }, []));
    const turn = this.turns[passed];
    document.getElementById("turn")?.replaceChildren(...(turn ? [
      el("p", {}, turn.text),
      ...(turn.change ? [el("p", { class: "change" }, `What would change it: ${turn.change}.`)] : []),
      ...(turn.decides ? [el("p", { class: "change" }, `What would decide: ${turn.decides}.`)] : []),
    ] : []));
  }

  /* The turning point after this scene, or before it. */
  next(scene, forward) {
    const places = this.turns.map((turn) => turn.scene);
    return forward ? places.find((place) => place > scene) : places.filter((place) => place < scene).pop();
  }

  clients() {
    this.put("clients", "How the clients fared", (this.run.clients ?? []).map((text) => el("p", {}, text)));
  }
}

const isErrno = (result) => /^E[A-Z0-9]+$/.test(result ?? "");

/* A call that waited stands in the run twice: here it has come back. */
function callSentence(scene, host) {
  const who = scene.by && scene.by !== host ? `${scene.by} on ${host}` : host;
  if (!scene.result) return `${who} calls ${scene.text}`;
  return isErrno(scene.result) ? `${scene.text} of ${who} fails with ${scene.result}` : `${scene.text} of ${who} is done: ${scene.result}`;
}

/* What people call it: data, whatever else it carries. */
const kindOf = (packet) => (packet.length && !/SYN|FIN|RST/.test(packet.flags) ? "data" : article(packet.flags));

const article = (flags) => `${/^(SYN|PSH|URG|CWR)/.test(flags) ? "a" : "an"} ${flags}`.replace("an FIN", "a FIN").replace("an no flags", "a segment without flags");

function tally(rows) {
  const counts = new Map();
  for (const [, [state]] of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${grouped(count)} ${state} in all`).join(", ");
}

const places = (length, names, kind) => Array.from({ length }, (_, n) => ({ name: names[n] ?? "", kind }));

function queueRow(listener, which, title, taken, limit) {
  const full = limit !== null && taken.length >= limit;
  const length = `${grouped(taken.length)}${limit === null ? "" : ` of ${grouped(limit)} places`}`;
  return el(
    "div",
    { class: "queue-row", "data-listener": listener, "data-queue": which, "data-length": taken.length, "data-limit": limit },
    el("div", { class: "name" }, el("span", {}, title),
      el("span", {}, el("span", { class: "length" }, length), full && el("span", { class: "full" }, "  full"))),
    slots(taken, limit),
  );
}

/* A box for each place, with the name of who has it; small boxes for many, a bar for very many. */
function slots(taken, limit) {
  const all = Math.max(taken.length, limit ?? 0);
  if (all > SLOTS_DRAWN) return bar(taken, all);
  const small = all > SLOTS_NAMED;
  const boxes = Array.from({ length: all }, (_, n) => {
    const { name, kind } = taken[n] ?? { name: "", kind: "" };
    const beyond = limit !== null && n >= limit ? "beyond" : "";
    return el("span", { class: `slot ${kind} ${beyond}`, title: name || null }, small ? "" : name);
  });
  const names = small ? taken.map((place) => place.name).filter(Boolean).join(", ") : null;
  return el("div", { class: small ? "slots small" : "slots", role: small ? "img" : null, "aria-label": names }, ...boxes);
}

function bar(taken, all) {
  const part = (kind) => {
    const count = taken.filter((place) => place.kind === kind).length;
    return el("span", { class: kind, style: `width:${(100 * count) / all}%` });
  };
  return el("div", { class: "bar" }, part("filled"), part("filled half"));
}

function legend() {
  const kinds = [
    ["open", "SYN, SYN|ACK"], ["plain", "ACK, data"], ["close", "FIN"], ["reset", "RST"],
    ["again", "sent again"], ["gone", "lost on the way: breaks off"],
  ];
  const line = (kind) => svg("svg", { viewBox: "0 0 46 14" }, svg("g", { class: `arrow ${kind}` },
    svg("line", { x1: 2, x2: kind === "gone" ? 26 : 38, y1: 7, y2: 7 }),
    kind === "gone" ? svg("text", { class: "cross", x: 32, y: 12 }, "✗") : svg("path", { d: "M44 7 L34 3 L34 11 Z" })));
  const curve = (kind) => svg("svg", { viewBox: "0 0 46 14" }, svg("path", { class: kind, d: "M2 7H44" }));
  const entry = (drawing, words) => el("li", {}, drawing, ` ${words}`);
  document.getElementById("legend").replaceChildren(
    el("h2", {}, "Lines"),
    el("ul", {},
      ...kinds.map(([kind, words]) => entry(line(kind), words)),
      entry(curve("accept"), "accept queue, on the time line"), entry(curve("syn"), "SYN queue, on the time line")));
}
