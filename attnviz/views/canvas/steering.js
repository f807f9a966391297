// A weight on its way to the server while the reader drags it. One event at a time is unanswered, so that a slow server
// is not flooded; the newest weight follows when the answer has come, and the last one always arrives.

const PATIENCE = 1500; // milliseconds until an answer is given up

class Steering {
  // `send(place, weight, gesture)` sends one event; `settled()` is called when the reader let go and all is answered.
  constructor(send, settled) {
    this.send = send;
    this.settled = settled;
    this.weight = null; // under the reader's hand, or still on its way; null when all is answered
  }

  begin(place) {
    this.sendNow();
    this.weight = null;
    this.sent = null;
    this.place = place;
    this.gesture = Date.now();
    this.held = true;
  }

  to(weight) {
    this.weight = Number(weight.toFixed(4));
    if (!this.waiting) this.sendNow();
  }

  release() {
    this.held = false;
    this.settle();
  }

  // A new frame has come, with these edits. It is the answer if the weight is among them: an old one may come twice.
  hear(edits) {
    if (!this.waiting) return;
    const { place, weight } = this.asked;
    const found = edits.find(({ map, at }) => map === place.map && at.join() === place.at.join());
    if (found?.weight === weight) this.answered();
  }

  answered() {
    clearTimeout(this.waiting);
    this.waiting = null;
    if (!this.sendNow()) this.settle();
  }

  sendNow() {
    if (this.weight === null || this.weight === this.sent) return false;
    this.sent = this.weight;
    this.asked = { place: this.place, weight: this.weight };
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.answered(), PATIENCE);
    this.send(this.place, this.weight, this.gesture);
    return true;
  }

  settle() {
    if (this.held || this.waiting || this.weight === null) return;
    this.weight = null;
    this.sent = null;
    this.settled();
  }

  stop() {
    clearTimeout(this.waiting);
  }
}
