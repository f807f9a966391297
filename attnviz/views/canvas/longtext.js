// A text of several lines, which grows with what is written, up to a dozen lines.

const LONG_LINES = 12;

class LongText {
  constructor(input) {
    this.node = this.field = element("textarea", { class: "box", rows: 3, autocomplete: "off", spellcheck: "false" });
    this.field.addEventListener("input", () => {
      this.grow();
      input.write(this.field.value);
    });
    this.watch = new ResizeObserver(() => this.grow());
    this.watch.observe(this.field);
  }

  destroy() {
    this.watch.disconnect();
  }

  meet({ label, hint, longest }) {
    setAttribute(this.field, "aria-label", label);
    setAttribute(this.field, "placeholder", hint);
    setAttribute(this.field, "maxlength", String(longest));
  }

  show(value) {
    this.field.value = value;
    this.grow();
  }

  grow() {
    const { field } = this;
    const line = parseFloat(getComputedStyle(field).lineHeight);
    const around = field.offsetHeight - field.clientHeight;
    field.style.height = "0";
    field.style.height = `${Math.min(field.scrollHeight, LONG_LINES * line) + around}px`;
  }
}
