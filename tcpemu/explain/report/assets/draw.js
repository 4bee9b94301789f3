/* Small tools: elements, numbers, times. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

const grouped = (number) => number.toLocaleString("en-US");

/* As many decimals as show all times exactly: 3 to 6. */
function decimalsFor(times) {
  let most = 3;
  for (const at of times) while (most < 6 && at % 10 ** (9 - most)) most += 1;
  return most;
}

const seconds = (at, decimals) => (at / 1e9).toFixed(decimals);

/* A span of time in its largest fitting unit. */
function duration(time) {
  const [size, unit] = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]].find(([least]) => time >= least) ?? [1, "ns"];
  return `${Number((time / size).toPrecision(4))} ${unit}`;
}

/* The first place in a sorted list whose value is not below the wanted one. */
function firstNotBelow(length, value, wanted) {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
