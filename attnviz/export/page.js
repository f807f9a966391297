// Starts the live pictures in a file of its own: where Streamlit would hand them their data, the page itself does.
{
  const { views, pictures } = JSON.parse(document.getElementById("attnviz-meta").textContent);
  const stored = document.querySelectorAll(".attnviz-weights");
  const drawn = [...document.querySelectorAll("main > section")].map((parentElement, i) => {
    const { meta, link } = views[i];
    const packed = atob(stored[i].textContent);
    const bytes = new Uint8Array(packed.length);
    for (let k = 0; k < packed.length; k++) bytes[k] = packed.charCodeAt(k);
    const numbers = meta.encoding === "uint16" ? new Uint16Array(bytes.buffer) : new Float32Array(bytes.buffer);
    const weights = { getChild: () => ({ toArray: () => numbers }) };
    return { data: { meta: { ...meta, picture: pictures[meta.picture] ?? null }, link, weights }, parentElement };
  });
  const show = () => drawn.forEach((component) => globalThis.attnvizCanvas.mount(component));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
