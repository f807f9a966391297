// What the reader chose, and how it stands in the link: #view=matrix&pin=3.1&off=1.4&hide=0.05
// `off` are hidden maps (to switch a map off is a change, and the server's matter); `show` is before or difference;
// without a `turn` it is the last one. What does not parse is ignored.

const OPACITY = 0.6;
const VIEWS = ["tokens", "matrix", "arcs", "overlay", "facts", "reading"];

function freshSelection() {
  const nothing = { view: null, group: 0, turn: null, query: null, pin: null, big: null, show: null, written: null };
  return { ...nothing, off: new Set(), hide: 0, opacity: OPACITY };
}

function wholeNumber(text) {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) : null;
}

function fraction(text, otherwise, most) {
  return /^\d{1,6}(\.\d{1,6})?$/.test(text ?? "") ? Math.min(most, Number(text)) : otherwise;
}

function readLink(prefix) {
  const found = freshSelection();
  const given = valuesInHash();
  const value = (name) => given.get(prefix + name);
  if (VIEWS.includes(value("view"))) found.view = value("view");
  if (["before", "difference"].includes(value("show"))) found.show = value("show");
  found.group = wholeNumber(value("group")) ?? 0;
  found.turn = wholeNumber(value("turn"));
  found.query = wholeNumber(value("query"));
  found.written = wholeNumber(value("written"));
  found.big = wholeNumber(value("big"));
  found.hide = fraction(value("hide"), 0, 1e6);
  found.opacity = fraction(value("opacity"), OPACITY, 1);
  const [key, map] = (value("pin") ?? "").split(".").map(wholeNumber);
  if (key !== null && key !== undefined) found.pin = { key, map: map ?? null };
  for (const text of (value("off") ?? "").split(".").slice(0, 1000)) {
    if (wholeNumber(text) !== null) found.off.add(wholeNumber(text));
  }
  return found;
}

function storeLink(prefix, selection, defaultView) {
  const number = (value) => String(Number(value.toFixed(4)));
  const { view, group, turn, query, pin, off, hide, opacity, big, show, written } = selection;
  const values = {
    view: view && view !== defaultView ? view : null,
    group: group ? String(group) : null,
    turn: turn === null ? null : String(turn),
    query: query === null ? null : String(query),
    pin: pin ? [pin.key, ...(pin.map === null ? [] : [pin.map])].join(".") : null,
    off: off.size ? [...off].sort((a, b) => a - b).join(".") : null,
    hide: hide ? number(hide) : null,
    opacity: opacity === OPACITY ? null : number(opacity),
    big: big === null ? null : String(big),
    written: written === null ? null : String(written),
    show,
  };
  keepInHash(values, prefix);
}

// What a changed trace no longer has is dropped.
function keepInRange(selection, frame, views) {
  if (!frame.meta.before) selection.show = null;
  if (!views.includes(selection.view)) selection.view = views[0];
  if (selection.group >= frame.groups.length) selection.group = 0;
  const group = frame.groups[selection.group];
  if (selection.turn !== null && selection.turn >= (group.turns?.labels.length ?? 0)) selection.turn = null;
  const { M, Q, K } = group.turn(selection.turn);
  if (selection.query !== null && (selection.query >= Q || Q === 1)) selection.query = null;
  const { written } = selection;
  if (!group.produced || written < 1 || written >= Q || selection.query >= written) selection.written = null;
  if (selection.pin && selection.pin.key >= K) selection.pin = null;
  if (selection.pin && selection.pin.map !== null && selection.pin.map >= M) selection.pin.map = null;
  if (selection.big !== null && selection.big >= M) selection.big = null;
  for (const map of selection.off) if (map >= M) selection.off.delete(map);
}
