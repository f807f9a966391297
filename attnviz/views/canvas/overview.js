// A thin strip beside what scrolls: how far down the weight is, and what part is in sight. A press goes there.

const OVERVIEW = 12; // pixels
const NEXT_TO = 40;

class Overview {
  // `box` is what scrolls.
  constructor(box) {
    this.box = box;
    this.node = element("canvas", { class: "overview", title: WORDS.overview, "aria-hidden": "true" });
    this.parts = [];
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    this.node.addEventListener("pointerdown", (event) => {
      this.node.setPointerCapture(event.pointerId);
      this.goTo(event);
    });
    this.node.addEventListener("pointermove", (event) => event.buttons && this.goTo(event));
  }

  get overflows() {
    return this.box.scrollHeight > this.box.clientHeight + 1;
  }

  // A weight for each of the nodes that lie one below another.
  show(picture, nodes, weights) {
    const { palette, rowScale, selection, theme } = picture;
    this.node.classList.toggle("idle", !this.overflows);
    this.theme = theme;
    this.colour = (weight) => palette.css[stepFor(palette, weight, rowScale, selection.hide)];
    const from = this.box.getBoundingClientRect().top - this.box.scrollTop;
    this.parts = this.overflows ? Array.from(nodes, (node, i) => placed(node, weights[i], from)) : [];
    this.draw();
  }

  draw() {
    if (!this.parts.length) return;
    const { clientHeight: tall, scrollHeight, scrollTop } = this.box;
    const context = sized(this.node, OVERVIEW, tall);
    const scale = tall / scrollHeight;
    // The largest last: where two fall on the same pixels the larger one is seen.
    const order = [...this.parts].sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight));
    for (const { middle, weight } of order) {
      context.fillStyle = this.colour(weight);
      context.fillRect(2, middle * scale - 1.5, OVERVIEW - 4, 3);
    }
    context.strokeStyle = this.theme.soft;
    context.strokeRect(0.5, scrollTop * scale + 0.5, OVERVIEW - 1, tall * scale - 1);
  }

  goTo(event) {
    const { top, height } = this.node.getBoundingClientRect();
    const { clientHeight, scrollHeight } = this.box;
    this.box.scrollTop = ((event.clientY - top) / height) * scrollHeight - clientHeight / 2;
  }

  // Scrolls as little as needed to bring a part into sight, below a head of that height, and what is next to it.
  reveal(node, head = 0) {
    const { box } = this;
    const from = box.getBoundingClientRect().top;
    const { top, bottom } = node.getBoundingClientRect();
    const [above, below] = [from + head + NEXT_TO - top, bottom + NEXT_TO - from - box.clientHeight];
    if (above > 0) box.scrollTop -= above;
    else if (below > 0) box.scrollTop += below;
  }
}

function placed(node, weight, from) {
  const { top, height } = node.getBoundingClientRect();
  return { middle: top - from + height / 2, weight };
}

// Goes from the largest weight of one map to that of the next, and pins it.
class Finder {
  constructor(picture) {
    this.picture = picture;
    this.node = element("button", { class: "plain find", type: "button", text: WORDS.find, title: WORDS.findTitle });
    this.node.addEventListener("click", () => this.next());
  }

  next() {
    const { picture } = this;
    const { big, pin, query } = picture.selection;
    const maps = big === null ? picture.mapsOn() : [big];
    if (!maps.length) return;
    const map = maps[(maps.indexOf(pin?.map) + 1) % maps.length];
    picture.choose({ pin: { key: largestOf(picture.rowOf(map)), map }, query });
    picture.surfaces[picture.mode].reveal(picture.selection.pin.key);
    picture.speak();
  }
}
