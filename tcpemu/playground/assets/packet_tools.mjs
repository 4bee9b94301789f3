/* Packets are taken off the ladder: dragged away, or chosen and deleted; and some other things that happen to packets. */

const FAR = 60; // pixels that a packet has to be dragged
const BEGUN = 5; // pixels below which it is a click

export class PacketTools {
  /* `happen(packet, trouble)` has something happen to a packet of the run that is shown. */
  constructor(app, happen) {
    Object.assign(this, { app, happen });
    const drawing = document.getElementById("drawing");
    drawing.addEventListener("pointerdown", (event) => this.take(event));
    document.getElementById("ladder").addEventListener("keydown", (event) => this.key(event));
    document.getElementById("panel").addEventListener("keydown", (event) => this.key(event));
  }

  /* What stands on the card of a packet. */
  buttons(number) {
    const packet = this.app.run.packets[number];
    if (packet.lost || packet.copy_of !== undefined) return null;
    const button = (words, title, trouble) => el("button", { type: "button", title, onclick: () => this.happen(number, trouble) }, words);
    return el("div", { class: "tools" },
      button("lose it", "it is lost on its way (Delete)", { what: "lose" }),
      button("1 s late", "it is on its way for a second longer", { what: "delay", time: "1 s" }),
      button("twice", "it arrives twice", { what: "duplicate" }),
      button("overtaken", "the next packet overtakes it", { what: "reorder" }));
  }

  key(event) {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    if (event.target.matches("input, textarea")) return;
    const card = event.target.closest("[data-packet]");
    const number = card ? Number(card.dataset.packet) : this.ofScene();
    if (number === undefined) return;
    event.preventDefault();
    this.happen(number, { what: "lose" });
  }

  /* The packet of the scene that is shown: the first that is sent in it, else the one that arrives. */
  ofScene() {
    const scene = this.app.run.scenes[this.app.chosen];
    return scene.sent?.[0] ?? scene.packet;
  }

  // By hand.

  take(down) {
    const arrow = down.target.closest(".arrow[data-packet], .words[data-packet]");
    if (!arrow || down.button !== 0) return;
    const number = arrow.dataset.packet;
    if (Number(arrow.dataset.count ?? 1) > 1) return; // a train: it opens by a click
    const parts = [...document.querySelectorAll(`#drawing [data-packet="${number}"]`)];
    const moves = parts.map((part) => part.getAttribute("transform") ?? "");
    const away = (event) => Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
    const control = new AbortController();
    const put = (event) => {
      if (away(event) < BEGUN) return;
      event.preventDefault();
      const by = `translate(${event.clientX - down.clientX} ${event.clientY - down.clientY})`;
      parts.forEach((part, n) => part.setAttribute("transform", `${by} ${moves[n]}`));
      parts.forEach((part) => part.classList.toggle("leaving", away(event) >= FAR));
    };
    const drop = (event) => {
      control.abort();
      parts.forEach((part, n) => part.setAttribute("transform", moves[n]));
      parts.forEach((part) => part.classList.remove("leaving"));
      if (event.type === "pointerup" && away(event) >= FAR) {
        addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
        setTimeout(() => this.happen(Number(number), { what: "lose" }), 0);
      }
    };
    addEventListener("pointermove", put, { signal: control.signal });
    addEventListener("pointerup", drop, { signal: control.signal });
    addEventListener("pointercancel", drop, { signal: control.signal });
  }
}
