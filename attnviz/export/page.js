// Starts the live picture in a file of its own: where Streamlit would hand it its data, the page itself does.
{
  const stored = (id) => document.getElementById(id).textContent;
  const { meta, link } = JSON.parse(stored("attnviz-meta"));
  const packed = atob(stored("attnviz-weights"));
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const numbers = meta.encoding === "uint16" ? new Uint16Array(bytes.buffer) : new Float32Array(bytes.buffer);
  const data = { meta, link, weights: { getChild: () => ({ toArray: () => numbers }) } };
  const show = () => globalThis.attnvizCanvas.mount({ data, parentElement: document.body });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
