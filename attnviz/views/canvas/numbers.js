// Several kinds of numbers in one message.

const NUMBERS = { float32: Float32Array, uint16: Uint16Array };

// A part of the message's bytes as numbers. A copy: it may begin where numbers cannot be read in place.
function numbersAt(bytes, { start, count, kind }) {
  const Numbers = NUMBERS[kind];
  return new Numbers(bytes.slice(start, start + count * Numbers.BYTES_PER_ELEMENT).buffer);
}
