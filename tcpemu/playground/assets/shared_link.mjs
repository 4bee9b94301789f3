/* All of the page in the fragment of its address, which no server sees: JSON, deflated, as base64 for addresses. */

async function through(stream, octets) {
  const answer = new Response(new Blob([octets]).stream().pipeThrough(stream));
  return new Uint8Array(await answer.arrayBuffer());
}

export async function linked(state) {
  const octets = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(state)));
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return `#p=${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/* What a fragment holds; null where there is nothing in it, an Error where it is no link of ours. */
export async function unlinked(fragment) {
  const text = new URLSearchParams(fragment.slice(1)).get("p");
  if (!text) return null;
  try {
    const octets = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    const state = JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), octets)));
    if (typeof state?.text !== "string" || typeof state?.name !== "string") throw new Error("no scenario in it");
    return state;
  } catch (error) {
    return new Error(`This link is not whole: ${error.message}`);
  }
}
