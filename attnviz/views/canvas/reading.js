// A long text to be read: its words flow as a paragraph, tinted like the sentence, and up to four maps are lines under
// each word.

const LONG_TEXT = 40; // words from which this is the first view
const MOST_LINES = 4;
const LINE = 4; // pixels from one line to the next
const LEAST_LINE = 0.02; // of the scale
const ATTACHED = /^[,.;:!?)\]}%’'”…]+$|^['’](s|t|re|ve|ll|d|m)$|^n['’]t$/i; // follows its word without a space

class Reading {
  constructor(picture) {
    this.picture = picture;
    this.finder = new Finder(picture);
    this.names = element("span", { class: "readnames" });
    this.order = element("span", { class: "readorder" });
    this.head = element("div", { class: "readhead" }, this.names, this.order, this.finder.node);
    this.text = element("div", { class: "readtext", dir: "auto" });
    this.overview = new Overview(this.text);
    const body = element("div", { class: "readbody" }, this.text, this.overview.node);
    this.node = element("div", { class: "reading" }, this.head, body);
  }

  paint() {
    const { picture, text } = this;
    const { group, selection } = picture;
    const on = selection.big === null ? picture.mapsOn() : [selection.big];
    this.lines = on.length > 1 && on.length <= MOST_LINES ? on : [];
    this.paintHead(on);
    text.style.maxHeight = `${picture.mostHeight}px`;
    text.style.setProperty("--lines", `${this.lines.length * LINE}px`);
    const words = picture.tintWords(text, picture.tintedRow(on), (key) => this.linesUnder(key));
    for (let key = 0; key < group.K; key++) words[key].classList.toggle("glued", ATTACHED.test(group.keys[key + 1] ?? ""));
    this.overview.show(picture, words, picture.strengths(on));
    setShown(this.finder.node, this.overview.overflows);
    return this.node.offsetHeight;
  }

  // The names of all maps, and which line is which.
  paintHead(on) {
    const { picture, names, lines } = this;
    const maps = picture.group.M === 1 ? [] : Array.from({ length: picture.group.M }, (_, i) => i);
    const made = keepChildren(names, maps.length, makeMapName);
    maps.forEach((map) => picture.captionFor(made[map].parts, map, 0));
    const labels = lines.map((map) => picture.group.maps[map]).join(", ");
    setLine(this.order, lines.length ? `${WORDS.linesUnder} ${labels}` : on.length > 1 ? WORDS.noLines : "");
  }

  // As backgrounds of the word, below its letters, in the order of the maps; there is none for next to no weight.
  linesUnder(key) {
    const { picture, lines } = this;
    const { palette, rowScale, selection } = picture;
    if (!lines.length) return "";
    const layer = (colour, up, tall) => `linear-gradient(${colour} 0 0) 0 calc(100% - ${up}px) / 100% ${tall}px no-repeat,`;
    const drawn = lines.map((map, i) => {
      const weight = picture.rowOf(map)[key];
      if (Math.abs(weight) < LEAST_LINE * rowScale) return "";
      return layer(palette.css[stepFor(palette, weight, rowScale, selection.hide)], (lines.length - 1 - i) * LINE, LINE - 1);
    });
    return drawn.join("") + layer("var(--paper)", 0, lines.length * LINE);
  }

  // The word under a pointer, and the map whose line it is on.
  hit(event) {
    const { picture, lines } = this;
    const key = picture.wordUnder(event);
    if (key === null) return null;
    const found = [...this.text.children[key].getClientRects()].find(({ bottom }) => bottom >= event.clientY);
    const line = found ? Math.floor((event.clientY - found.bottom) / LINE) + lines.length : -1;
    const only = picture.group.M === 1 ? 0 : null;
    return { map: lines[line] ?? only, query: picture.selection.query, key };
  }

  reveal(key) {
    this.overview.reveal(this.text.children[key]);
  }
}
