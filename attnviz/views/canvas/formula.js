// A formula from the server's lists [tag, attributes, text or children]: built element by element, never parsed.

const MATHML = "http://www.w3.org/1998/Math/MathML";

function formulaNode([tag, attributes, content]) {
  const made = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (typeof content === "string") made.textContent = content;
  else made.append(...content.map(formulaNode));
  return made;
}
