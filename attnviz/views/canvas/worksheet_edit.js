// Writing a number in its place: Enter sends it, Escape leaves it as it was.

const LARGEST_NUMBER = 1e6;

// The number that a text says, or null: both signs for minus, comma or point.
function numberFrom(text) {
  const plain = text.trim().replace(/[−–]/, "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

class WorksheetEdit {
  constructor(card, button, done) {
    this.card = card;
    this.button = button;
    this.done = done;
    const value = card.line.number(card.sheet.place, Number(button.dataset.row), Number(button.dataset.column));
    const label = LINE_WORDS.newNumber;
    this.input = element("input", { class: "ws-edit", type: "text", inputmode: "decimal", "aria-label": label });
    this.input.value = card.line.exact(value);
    button.hidden = true;
    button.after(this.input);
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.input.focus();
    this.input.select();
  }

  key(event) {
    event.stopPropagation();
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // else Enter would also press the button that gets the focus back
    if (event.key === "Enter") this.send();
    else this.close(true);
  }

  send() {
    const value = numberFrom(this.input.value);
    const problem = value === null ? LINE_WORDS.noNumber : Math.abs(value) > LARGEST_NUMBER ? LINE_WORDS.tooLarge : "";
    setText(this.card.message, problem);
    this.input.setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) return;
    this.close(true);
    this.done(value);
  }

  close(focus) {
    if (this.closed) return; // taking the input away makes it blur once more
    this.closed = true;
    setText(this.card.message, "");
    this.button.hidden = false;
    if (focus) this.button.focus();
    this.input.remove();
  }
}
