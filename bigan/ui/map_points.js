// The map, the points. They never change, so they travel once and wait here for the canvas to ask.

const KEY_BYTES = 16;
const MAX_KEPT = 4; // maps whose points stay in this tab

const slots = (globalThis.biganMapPoints ??= new Map());

function slot(key) {
  if (!slots.has(key)) {
    let resolve;
    const promise = new Promise((done) => (resolve = done));
    slots.set(key, { promise, resolve, received: false });
    for (const old of [...slots.keys()].slice(0, -MAX_KEPT)) slots.delete(old);
  }
  return slots.get(key);
}

/**
 * Unpack the points: key, length of the header, header (JSON), labels, places in each space, the sprite.
 * Without a header it is what comes back of the images, a second sprite.
 */
function receive(bytes) {
  const text = new TextDecoder();
  const mine = slot(text.decode(bytes.subarray(0, KEY_BYTES)));
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(KEY_BYTES, true);
  if (!length) {
    mine.promise.then((points) => unpack(bytes.subarray(KEY_BYTES + 4)).then((sprite) => (points.twins = sprite)));
    return;
  }
  if (mine.received) return;
  mine.received = true;
  let at = KEY_BYTES + 4;
  const take = (count) => bytes.slice(at, (at += count)); // a copy, so that numbers are aligned
  const header = JSON.parse(text.decode(take(length)));
  const count = header.ids.length;
  const points = { ...header, count, labels: take(count), spaces: {}, sprite: null, twins: null };
  for (const space of header.spaces) {
    const places = Float32Array.from(new Uint16Array(take(4 * count).buffer), (value) => value / 65535);
    points.spaces[space.name] = { ...space, places };
  }
  points.index = new Map(header.ids.map((id, i) => [id, i]));
  points.order = shuffled(count); // drawn in class order, the last class would cover the others
  points.pictures = unpack(bytes.subarray(at));
  points.pictures.then((sprite) => (points.sprite = sprite));
  mine.resolve(points);
}

function unpack(bytes) {
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
}

function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator: any fixed order will do
    const j = seed % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
