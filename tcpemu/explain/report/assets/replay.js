/* How all stands after each scene of a run: sockets, queues, counters. Scenes hold only what they changed. */

class Replay {
  static STRIDE = 1000; // from scene to scene at which a copy of all is kept

  constructor(run) {
    this.run = run;
    this.kept = [];
    this.scene = -1;
    this.sockets = new Map(); // number of the socket -> [state, Recv-Q, Send-Q]
    this.queues = new Map(); // number of the listener -> [accept, syn, backlog, accept limit, syn limit]
    this.counters = new Map(); // "host name" -> sum
    this.accepted = new Set(); // sockets that accept() gave
  }

  /* Go to a scene; -1 is before the first one. */
  to(scene) {
    if (scene < this.scene) this.restore(Math.floor(scene / Replay.STRIDE));
    while (this.scene < scene) {
      this.scene += 1;
      this.play(this.run.scenes[this.scene]);
      if (this.scene % Replay.STRIDE === 0) this.keep(this.scene / Replay.STRIDE);
    }
    return this;
  }

  play(scene) {
    for (const [number, ...row] of scene.sockets ?? []) {
      if (row.length) this.sockets.set(number, row);
      else this.forget(number);
    }
    for (const [number, ...lengths] of scene.queues ?? []) this.queues.set(number, lengths);
    for (const [name, by] of Object.entries(scene.counted ?? {})) {
      const key = `${scene.host} ${name}`;
      this.counters.set(key, (this.counters.get(key) ?? 0) + by);
    }
    if (scene.accepted !== undefined) this.accepted.add(scene.accepted);
  }

  /* The same connection may come again, and be a new one. */
  forget(socket) {
    this.sockets.delete(socket);
    this.accepted.delete(socket);
  }

  keep(place) {
    this.kept[place] ??= {
      scene: this.scene,
      sockets: new Map(this.sockets),
      queues: new Map(this.queues),
      counters: new Map(this.counters),
      accepted: new Set(this.accepted),
    };
  }

  restore(place) {
    const kept = this.kept[place];
    this.scene = kept ? kept.scene : -1;
    this.sockets = new Map(kept?.sockets);
    this.queues = new Map(kept?.queues);
    this.counters = new Map(kept?.counters);
    this.accepted = new Set(kept?.accepted);
  }

  /* Whether somebody still listens there. */
  listens(listener) {
    const { host, port } = this.run.listeners[listener];
    return [...this.sockets.keys()].some((number) => {
      const socket = this.run.sockets[number];
      return socket.listens && socket.host === host && socket.port === port;
    });
  }

  /* Which connections are in the queues of a listener, as far as the socket table still knows them. */
  waiting(listener) {
    const { host, port } = this.run.listeners[listener];
    const found = { accept: [], syn: [] };
    for (const [number, [state]] of this.sockets) {
      const socket = this.run.sockets[number];
      if (socket.host !== host || socket.port !== port || socket.listens) continue;
      if (state === "SYN-RECV") found.syn.push(socket.who);
      else if (!this.accepted.has(number) && state !== "TIME-WAIT") found.accept.push(socket.who);
    }
    return found;
  }
}
