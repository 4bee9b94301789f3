/* Sliders, switches and choices, as the emulator says that they stand; what was moved last keeps the focus. */

const TITLES = { server: "Server", link: "Way and chance", sysctls: "sysctls of the listen path" };
const WAIT = 150; // milliseconds after the last movement

export class ControlBoard {
  constructor(box, moved) {
    Object.assign(this, { box, moved });
    this.folded = new Set(matchMedia("(max-width: 800px)").matches ? ["sysctls", "link"] : ["sysctls"]);
  }

  show(controls) {
    const focus = document.activeElement?.id;
    const groups = new Map();
    for (const each of controls) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
    this.box.replaceChildren(...[...groups].map(([name, some]) => this.group(name, some)));
    if (focus && this.box.querySelector(`#${CSS.escape(focus)}`)) document.getElementById(focus).focus();
  }

  group(name, controls) {
    const open = !this.folded.has(name);
    return el("details", { open, class: "group", "data-group": name, ontoggle: (event) => this.fold(name, event.target.open) },
      el("summary", {}, TITLES[name] ?? `Clients: ${name}`), ...controls.map((each) => this.control(each)));
  }

  fold(name, open) {
    if (open) this.folded.delete(name);
    else this.folded.add(name);
  }

  control(control) {
    const id = `set-${control.path.replaceAll(/[^a-zA-Z0-9_-]/g, "-")}`;
    const made = control.kind === "switch" ? this.flip(control, id) : control.kind === "choice" ? this.choice(control, id) : this.slider(control, id);
    return el("div", { class: `control of-${control.kind}`, "data-path": control.path }, ...made);
  }

  flip(control, id) {
    const box = el("input", { type: "checkbox", id, title: control.about, onchange: (event) => this.moved(control.path, event.target.checked) });
    box.checked = control.value;
    return [box, el("label", { for: id, title: control.about }, control.label)];
  }

  choice(control, id) {
    const box = el("select", { id, title: control.about, onchange: (event) => this.moved(control.path, event.target.value) },
      ...control.choices.map((name) => el("option", {}, name)));
    box.value = control.value;
    return [el("label", { for: id, title: control.about }, control.label), box];
  }

  slider(control, id) {
    const unit = { milliseconds: " (ms)", percent: " (%)" }[control.kind] ?? "";
    const step = control.kind === "percent" ? 0.5 : control.high - control.low > 500 ? 10 : 1;
    const range = el("input", { type: "range", tabindex: -1, "aria-hidden": "true", min: control.low, max: Math.max(control.high, control.value), step });
    const number = el("input", { type: "number", id, title: control.about, step: "any", autocomplete: "off" });
    range.value = number.value = control.value;
    const set = (value, from) => {
      if (value === "" || !Number.isFinite(Number(value))) return;
      (from === range ? number : range).value = value;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.moved(control.path, Number(value)), WAIT);
    };
    range.oninput = () => set(range.value, range);
    number.oninput = () => set(number.value, number);
    return [el("label", { for: id, title: control.about }, control.label + unit), range, number];
  }
}
