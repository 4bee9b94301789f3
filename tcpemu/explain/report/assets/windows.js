/* The windows of who sends data: congestion window, threshold, what is in flight, state of recovery. */

const BANDS = ["", "", "cwr", "recovery", "loss"]; // by the state of recovery
const STATES = ["Open", "Disorder", "CWR", "Recovery", "Loss"];
const MOST_WINDOWS = 4; // senders in one panel

/* The senders, each with its points in order of time; `threshold` is null before the first loss. */
function windowsOf(run) {
  return (run.windows ?? []).slice(0, MOST_WINDOWS).map(({ who, changes }) => ({
    who,
    points: changes.map(([at, cwnd, threshold, flight, state, srtt, rto, peer]) => ({
      at, cwnd, threshold: threshold || null, flight, state, srtt, rto, peer,
    })),
  }));
}

/* What is drawn how, beside the panel. */
function windowLegend(box, windows) {
  box.hidden = !windows.length;
  const line = (kind, words) => [svg("svg", { viewBox: "0 0 26 10" }, svg("path", { class: kind, d: "M0 5H26" })), ` ${words} `];
  const band = (kind, words) => [svg("svg", { viewBox: "0 0 26 10" }, svg("rect", { class: `band ${kind}`, width: 26, height: 10 })), ` ${words} `];
  const area = (kind, words) => [svg("svg", { viewBox: "0 0 26 10" }, svg("rect", { class: kind, x: 1, y: 1, width: 24, height: 8 })), ` ${words} `];
  const states = new Set(windows.flatMap(({ points }) => points.map(({ state }) => state)));
  const alone = [
    ...line("cwnd nth-0", "congestion window"), ...area("flight", "in flight"),
    ...(windows[0]?.points.some(({ threshold }) => threshold) ? line("threshold", "threshold") : []),
    ...[2, 3, 4].filter((state) => states.has(state)).flatMap((state) => band(BANDS[state], STATES[state])),
  ];
  const several = windows.flatMap(({ who }, n) => line(`cwnd nth-${n}`, who));
  box.replaceChildren(windows.length > 1 ? "congestion windows: " : "", ...(windows.length > 1 ? several : alone));
}

/* How the sender stands at a moment, as ss -ti would tell it. */
function windowWords({ points }, at) {
  const next = firstNotBelow(points.length, (n) => points[n].at, at + 1);
  if (!next) return "";
  const { cwnd, threshold, flight, state, srtt, rto, peer } = points[next - 1];
  const times = srtt ? `, srtt ${duration(srtt * 1e3)}, rto ${duration(rto * 1e3)}` : "";
  return `${STATES[state]}: cwnd ${cwnd}${threshold ? `, ssthresh ${threshold}` : ""}, in flight ${flight}${times}, peer's window ${grouped(peer)}`;
}
