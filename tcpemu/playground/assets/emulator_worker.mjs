/* The worker in which the emulator runs: Python for browsers, the packages it needs, and ourselves. What was loaded once
   is kept by the browser, under the digest that the folder has, so that it comes from there the next time. */

const here = new URL(".", self.location.href);
const KEPT = "tcpemu-playground-";

const manifest = await (await fetch(new URL("playground.json", here), { cache: "no-cache" })).json();
const all = Object.values(manifest.files).reduce((sum, octets) => sum + octets, 0);
const cache = await kept();
let [loaded, fromCache] = [0, true];

/* A place in the browser for what was loaded; null where it has none, as on pages that come without TLS from afar. */
async function kept() {
  if (!self.caches) return null;
  try {
    const name = KEPT + manifest.digest;
    for (const other of await caches.keys()) if (other.startsWith(KEPT) && other !== name) await caches.delete(other);
    return await caches.open(name);
  } catch {
    return null;
  }
}

const fetched = self.fetch.bind(self);

/* The same as fetch, with progress told and the answer kept. */
async function keepingFetch(request, options) {
  const address = new URL(typeof request === "string" || request instanceof URL ? request : request.url, here);
  const name = address.href.slice(here.href.length);
  if (!(name in manifest.files)) return fetched(request, options);
  const known = await cache?.match(address);
  if (known) {
    tell(manifest.files[name]);
    return known;
  }
  fromCache = false;
  const answer = await fetched(address);
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  const parts = [];
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    tell(value.length);
  }
  const type = name.endsWith(".wasm") ? "application/wasm" : answer.headers.get("content-type") ?? "application/octet-stream";
  const whole = () => new Response(new Blob(parts), { headers: { "content-type": type } });
  await cache?.put(address, whole()).catch(() => {}); // a browser may have no room
  return whole();
}

function tell(octets) {
  loaded += octets;
  self.postMessage({ loaded, all });
}

const session = await begin();

async function begin() {
  self.fetch = keepingFetch;
  const { loadPyodide } = await import(new URL("python/pyodide.mjs", here));
  const python = await loadPyodide({ indexURL: new URL("python/", here).href, stdout: () => {}, stderr: () => {} });
  for (const name of manifest.packages) {
    const octets = await (await keepingFetch(new URL(name, here))).arrayBuffer();
    python.unpackArchive(octets, "wheel", { filename: name.split("/").pop() });
  }
  self.postMessage({ starting: true });
  const answer = python.runPython("from tcpemu.playground.browser.page_requests import answered\nanswered()");
  self.postMessage({ ready: true, fromCache, python: manifest.python });
  return answer;
}

self.onmessage = ({ data: { id, name, values } }) => {
  try {
    const found = session(name, JSON.stringify(values));
    if (typeof found === "string") self.postMessage({ id, answer: JSON.parse(found) });
    else {
      const octets = found.toJs();
      found.destroy();
      self.postMessage({ id, octets }, [octets.buffer]);
    }
  } catch (error) {
    self.postMessage({ id, failed: String(error.message ?? error) });
  }
};
