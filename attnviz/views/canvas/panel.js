// One picture of a board, under its name, its model and what it predicts.

class Panel {
  constructor(board, index) {
    this.board = board;
    this.number = element("span", { class: "count" });
    this.title = element("span", { class: "strong" });
    this.badge = element("span", { class: "badge", text: WORDS.untrained });
    this.about = element("span", { class: "about" });
    this.said = element("p", { class: "predicted" });
    this.more = element("button", { class: "plain", type: "button", text: BOARD_WORDS.more });
    const line = element("p", {}, this.number, this.title, this.badge, this.about);
    const head = element("div", { class: "panelhead" }, line, element("div", { class: "predictedline" }, this.said, this.more));
    const root = element("div", { class: "attnviz-picture", role: "group" });
    this.node = element("article", { class: "panel" }, head, root);
    board.list.append(this.node);
    this.picture = new Picture(root, { emit: (event) => board.send({ ...event, panel: index }), compact: true });
    this.picture.onPoint = (point) => board.hear(this.picture, point);
    this.more.addEventListener("click", () => board.choose({ more: !board.chosen.more }));
  }

  remove() {
    this.board.points.delete(this.picture);
    this.picture.destroy();
    this.node.remove();
  }

  update({ number, frame, numbers, options, figures }, bytes) {
    setText(this.number, number);
    setText(this.title, frame.title);
    setAttribute(this.node, "aria-label", `${BOARD_WORDS.panel} ${number}`);
    setShown(this.badge, !frame.trained);
    const { accuracy } = figures;
    const good = accuracy.number === null ? "" : `${accuracy.text} ${BOARD_WORDS.validated}`;
    setText(this.about, [options, good].filter(Boolean).join(" · "));
    this.showPrediction(frame.prediction);
    this.picture.update(this.board.withPicture(frame), numbersAt(bytes, numbers), `p${number}.`);
    this.showMore();
  }

  // The three most probable classes; all of them are one click away.
  showPrediction(prediction) {
    if (!prediction) {
      this.said.replaceChildren();
      return;
    }
    const { labels, probabilities } = prediction;
    const order = labels.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
    const nodes = keepChildren(this.said, Math.min(3, order.length), () => element("span"));
    [...nodes].forEach((node, place) => {
      setText(node, `${labels[order[place]]} ${probabilities[order[place]].toFixed(2)}`);
      node.classList.toggle("strong", place === 0);
    });
  }

  showMore() {
    const { more } = this.board.chosen;
    this.node.classList.toggle("more", more);
    setAttribute(this.more, "aria-expanded", String(more));
  }
}
