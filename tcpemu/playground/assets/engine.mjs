/* The emulator, as the page has it: it asks, and waits for the answer. A run that lasts is stopped by ending the worker;
   another one begins, out of the browser's cache, and is told what was shown. */

export class Stopped extends Error {}

export class Engine {
  /* `tell` hears how far loading has got: {loaded, all}, {starting}, {ready}, {broken}. */
  constructor(tell) {
    this.tell = tell;
    this.asked = new Map();
    this.last = null; // what was run last: its name and text
    this.count = 0;
    this.begin();
  }

  begin() {
    this.waiting = [];
    this.isReady = false;
    this.worker = new Worker(new URL("emulator_worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.tell({ broken: event.message || "its worker did not start" });
    };
  }

  hear(data) {
    if (data.id === undefined) {
      this.tell(data);
      if (data.ready) this.ready();
      return;
    }
    const { done, failed } = this.asked.get(data.id);
    this.asked.delete(data.id);
    if (data.failed !== undefined) failed(new Error(data.failed));
    else done(data.octets ?? data.answer);
  }

  ready() {
    this.isReady = true;
    for (const send of this.waiting) send();
    this.waiting = [];
  }

  /* The answer to a request, once it is there. */
  ask(name, values = {}) {
    const id = (this.count += 1);
    return new Promise((done, failed) => {
      this.asked.set(id, { done, failed });
      const send = () => this.worker.postMessage({ id, name, values });
      if (this.isReady) send();
      else this.waiting.push(send);
    });
  }

  /* End what it does, and begin anew with what was shown. */
  stop() {
    this.worker.terminate();
    const asked = [...this.asked.values()];
    this.asked.clear();
    this.begin();
    if (this.last) this.ask("run", this.last).catch(() => {});
    for (const { failed } of asked) failed(new Stopped("stopped"));
  }
}
