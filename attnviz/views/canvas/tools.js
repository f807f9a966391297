// The controls under the picture, and the legend.

class Tools {
  constructor(picture) {
    this.picture = picture;
    this.views = element("div", { class: "choice views", role: "group", "aria-label": WORDS.views });
    this.groups = element("div", { class: "choice groups", role: "group", "aria-label": WORDS.group });
    this.shows = element("div", { class: "choice shows", role: "group", "aria-label": WORDS.show });
    this.query = element("select", { "aria-label": WORDS.query });
    this.queryLabel = element("label", { class: "tool" }, element("span", { text: WORDS.query }), this.query);
    [this.hideLabel, this.hide, this.hideValue] = slider(WORDS.hide);
    [this.opacityLabel, this.opacity, this.opacityValue] = slider(WORDS.opacity);
    this.ramp = element("canvas", { class: "ramp" });
    this.low = element("span", { class: "low" });
    this.high = element("span");
    this.kind = element("span", { class: "kind" });
    this.target = element("span", { class: "targetname", text: WORDS.target });
    this.legend = element("div", { class: "legend" }, this.target, this.kind, this.low, this.ramp, this.high);
    this.turns = new Turns(picture);
    this.written = new Written(picture);
    this.steps = element("div", { class: "steps" }, this.turns.node, this.written.node);
    this.node = element("div", { class: "tools" });
    this.node.append(this.views, this.groups, this.shows, this.queryLabel, this.hideLabel, this.opacityLabel);
    this.node.append(this.legend);
    this.listen();
  }

  listen() {
    const { picture } = this;
    this.views.addEventListener("click", ({ target }) => {
      if (target.dataset.view) picture.choose({ view: target.dataset.view, big: null });
    });
    this.groups.addEventListener("click", ({ target }) => {
      if (target.dataset.group) picture.chooseGroup(Number(target.dataset.group));
    });
    this.shows.addEventListener("click", ({ target }) => {
      const { show } = target.dataset;
      if (show) picture.choose({ show: show === "after" ? null : show });
    });
    this.query.addEventListener("change", () => {
      picture.choose({ query: this.query.value === "" ? null : Number(this.query.value) });
    });
    this.hide.addEventListener("input", () => {
      picture.choose({ hide: Number((picture.group.scale * (this.hide.value / 100) ** 2).toFixed(4)) });
    });
    this.opacity.addEventListener("input", () => picture.choose({ opacity: this.opacity.value / 100 }));
  }

  stop() {
    this.turns.player.stop();
    this.written.player.stop();
  }

  show() {
    const { picture } = this;
    this.turns.show();
    this.written.show();
    const { selection, group, frame, palette } = picture;
    choices(this.views, picture.views.map((view) => [view, WORDS[view], view === selection.view]), "view");
    setShown(this.groups, frame.groups.length > 1);
    choices(this.groups, frame.groups.map((g, i) => [String(i), g.title, i === selection.group]), "group");
    setShown(this.shows, Boolean(picture.after.earlier));
    const shown = (name) => [name, WORDS[name], name === (selection.show ?? "after")];
    choices(this.shows, ["before", "after", "difference"].map(shown), "show");
    setShown(this.queryLabel, group.Q > 1);
    if (group.Q > 1) this.showQueries(group, selection.query);
    this.hide.value = Math.round(100 * Math.sqrt(Math.min(1, selection.hide / group.scale)));
    setText(this.hideValue, selection.hide ? selection.hide.toFixed(selection.hide < 0.01 ? 4 : 2) : "0");
    setShown(this.opacityLabel, selection.view === "overlay");
    this.opacity.value = Math.round(selection.opacity * 100);
    setText(this.opacityValue, `${Math.round(selection.opacity * 100)} %`);
    const single = selection.view === "arcs" || (selection.view === "matrix" && group.Q > 1);
    this.showLegend(group, palette, single ? group.scale : picture.rowScale);
  }

  showQueries(group, chosen) {
    const options = keepChildren(this.query, group.Q + 1, () => element("option"));
    setText(options[0], WORDS.meanQueries);
    options[0].value = "";
    for (let i = 0; i < group.Q; i++) {
      setText(options[i + 1], group.queries[i]);
      options[i + 1].value = String(i);
    }
    this.query.value = chosen === null ? "" : String(chosen);
  }

  // The legend is linear in the weight; the ramp's curve shows in it.
  showLegend(group, palette, scale) {
    const name = `${palette.css[10]} ${palette.kind}`;
    if (this.drawn !== name) {
      this.drawn = name;
      const context = sized(this.ramp, 130, 8);
      for (let x = 0; x < 130; x++) {
        const weight = palette.signed ? (2 * x) / 129 - 1 : x / 129;
        context.fillStyle = palette.css[stepFor(palette, weight, 1, 0)];
        context.fillRect(x, 0, 1.5, 8);
      }
    }
    setShown(this.target, this.picture.marks.targets.size > 0);
    const most = scale >= 0.1 && scale < 10 ? scale.toFixed(2) : String(Number(scale.toPrecision(2)));
    setText(this.low, palette.signed ? `−${most}` : "0");
    setText(this.high, most);
    const free = group.normalised === null ? WORDS.free : "";
    setText(this.kind, group.isDifference ? WORDS.afterBefore : (group.legend ?? free));
  }
}

function slider(label) {
  const input = element("input", { type: "range", min: "0", max: "100", step: "1" });
  const value = element("output");
  return [element("label", { class: "tool" }, element("span", { text: label }), input, value), input, value];
}

function choices(box, entries, name) {
  const buttons = keepChildren(box, entries.length, () => element("button", { type: "button" }));
  entries.forEach(([value, label, pressed], i) => {
    setText(buttons[i], label);
    buttons[i].dataset[name] = value;
    setAttribute(buttons[i], "aria-pressed", String(pressed));
  });
}
