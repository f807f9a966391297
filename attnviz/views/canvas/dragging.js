// With the mouse the pinned cell of a grid, and a pinned fact or word, is a handle for its weight: up is more. A finger scrolls and has the slider.

const DRAG = 150; // pixels from no weight to all
const STILL = 3; // pixels within which a press is a click

class Dragging {
  constructor(picture) {
    this.picture = picture;
    this.begun = null;
    this.ended = false;
    const { stage } = picture;
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => (this.begun ? this.drag(event) : this.showHandle(event)));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => this.letGo());
  }

  get isOn() {
    return Boolean(this.begun);
  }

  isHandle(event) {
    const { picture } = this;
    if (event.pointerType !== "mouse" || picture.mode === "figures" || !picture.selection.pin) return false;
    const point = picture.hit(event);
    const { map, query, key } = picture.pinned;
    if (!point || point.key !== key || point.map !== map) return false;
    return (!picture.rowsAreQueries || point.query === query) && picture.changes.place !== null;
  }

  showHandle(event) {
    this.picture.stage.classList.toggle("handle", this.isHandle(event));
  }

  press(event) {
    if (event.button !== 0 || !this.isHandle(event)) return;
    this.begun = { at: event.clientY, weight: this.picture.changes.pinnedWeight, moved: false };
  }

  drag(event) {
    const { begun, picture } = this;
    const { changes } = picture;
    const up = begun.at - event.clientY;
    if (!begun.moved && Math.abs(up) < STILL) return;
    if (!begun.moved) {
      begun.moved = true;
      picture.stage.setPointerCapture(event.pointerId);
      changes.steering.begin(changes.place);
    }
    changes.steerTo(begun.weight + (up / DRAG) * changes.total);
  }

  letGo() {
    const moved = this.begun?.moved;
    this.begun = null;
    if (!moved) return;
    this.ended = true;
    setTimeout(() => (this.ended = false));
    this.picture.changes.steering.release();
  }
}
