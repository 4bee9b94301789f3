/* What differs between two runs, and the same run on another kernel beside it: the page of a report, in a frame. */

/* A table of the numbers that differ, and where they part. */
export function differencesShown({ rows, parts }, before, now) {
  if (!rows.length && !parts.length) return [el("p", {}, "Nothing differs: not one packet.")];
  const head = ["", before, now].map((words) => el("th", {}, words));
  const table = rows.length ? el("div", { class: "wide" }, el("table", { class: "differences" }, el("tr", {}, ...head),
    ...rows.map(([label, one, other]) => el("tr", {}, el("td", { class: "meaning" }, label), el("td", {}, one), el("td", { class: "now" }, other))))) : null;
  return [table, ...parts.map((words) => el("p", {}, words))].filter(Boolean);
}

export class SideBySide {
  constructor(frame, box) {
    Object.assign(this, { frame, box });
  }

  show({ page, changes, notes }, kernel, at) {
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    this.frame.src = `${this.address}#at=${at}`;
    this.frame.hidden = false;
    this.box.replaceChildren(...notes.map((words) => el("p", { class: "quiet" }, words)), ...differencesShown(changes, "here", kernel));
  }

  /* Go along with the run that is shown. */
  follow(at) {
    if (this.frame.hidden || !this.frame.contentWindow) return;
    this.frame.contentWindow.location.hash = `#at=${at}`;
  }

  hide() {
    this.frame.hidden = true;
    this.box.replaceChildren();
  }
}
