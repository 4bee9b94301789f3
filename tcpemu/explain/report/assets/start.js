/* The page of a report: its runs stand in it, deflated, and the address says where the reader is. */

/* The data of a run: JSON, deflated, as base64. */
async function unpacked(text) {
  const octets = Uint8Array.from(atob(text.trim()), (each) => each.charCodeAt(0));
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/* A link may name a run and an event of it, #run=2&event=17, counted from 1; or a moment, #at=1500000000, in ns. */
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const whole = (name) => (/^[0-9]+$/.test(wanted.get(name) ?? "") ? Number(wanted.get(name)) - 1 : null);
  const run = Math.min(Math.max(whole("run") ?? 0, 0), app.about.runs.length - 1);
  const at = wanted.get("at");
  if (/^[0-9]+$/.test(at ?? "")) {
    const there = () => app.go(sceneAt(app.run, Number(at)));
    return run === app.number ? there() : app.open(run).then(there);
  }
  if (run !== app.number) return app.open(run, whole("event"));
  return whole("event") !== null && whole("event") !== app.chosen ? app.go(whole("event")) : undefined;
}

const app = new App(
  JSON.parse(document.getElementById("data").textContent),
  (number) => unpacked(document.getElementById(`run-${number}`).textContent),
  (run, event) => history.replaceState(null, "", `#run=${run + 1}&event=${event + 1}`),
);
addEventListener("hashchange", follow);
follow();
