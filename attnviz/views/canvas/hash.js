// What the reader looks at stands in the link behind the #, as name=value; it never reaches the server, and is
// untrusted. Streamlit drops it when it opens a page and when it writes the rest of the link: here it is brought back.

const following = new Set(); // { follower, page }

function valuesInHash() {
  return new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
}

// Writes names and values beside what else stands there; null takes a name out.
function keepInHash(values, prefix = "") {
  const kept = valuesInHash();
  for (const [name, value] of Object.entries(values)) {
    if (value === null) kept.delete(prefix + name);
    else kept.set(prefix + name, value);
  }
  const wanted = kept.toString();
  if (wanted === location.hash.slice(1)) return;
  history.replaceState(history.state, "", location.pathname + location.search + (wanted ? `#${wanted}` : ""));
}

// From now on `follower.readHash()` is called when the reader opens another link, and `follower.storeHash()` when what
// stands there was lost. Returns what ends it.
function followHash(follower) {
  bringBackHash();
  const entry = { follower, page: location.pathname };
  following.add(entry);
  return () => following.delete(entry);
}

// What was dropped before the first picture was there, on the way from a page's own address to the app's, too.
function bringBackHash() {
  const shared = (globalThis.attnvizCanvas ??= {});
  if (shared.hashWasRead) return;
  shared.hashWasRead = true;
  const opened = performance.getEntriesByType("navigation")[0]?.name ?? "";
  const [address, hash] = opened.split(/#(.*)/s);
  if (!hash || location.hash || !URL.canParse(address)) return;
  if (![address, new URL(".", address)].some((page) => new URL(page).pathname === location.pathname)) return;
  history.replaceState(history.state, "", `${location.pathname}${location.search}#${hash}`);
}

window.addEventListener("hashchange", () => {
  const isHeading = location.hash && !location.hash.includes("="); // says nothing about us
  if (!isHeading) for (const { follower } of following) follower.readHash();
});

window.navigation?.addEventListener("currententrychange", ({ navigationType }) => {
  const byScript = navigationType === "push" || navigationType === "replace";
  if (!byScript || location.hash) return;
  for (const { follower, page } of following) if (location.pathname === page) follower.storeHash();
});
