// The map: what is selected. Areas and ids are text, as they stand in the address; map_component.py says how.

const CORNER_STEPS = 1000;
const MAX_CORNERS = 32;
const MAX_PARTS = 24;

/** Which points a selection holds: the union of its areas and of the points named in it. */
function holding(text, points) {
  const held = new Uint8Array(points.count);
  for (const word of text.split(" ").filter(Boolean).slice(0, MAX_PARTS)) {
    const [, name, list] = word.match(/^([a-z]+):(\d{1,4}(?:,\d{1,4})+)$/) ?? [];
    const numbers = list ? list.split(",").map((number) => number / CORNER_STEPS) : [];
    const space = points.spaces[name];
    if (space && numbers.length >= 6 && numbers.length % 2 === 0) holdArea(held, numbers, space.places);
    else if (points.index.has(word)) held[points.index.get(word)] = 1;
  }
  return held;
}

/** Even-odd: a point is inside where a ray to the right crosses the line an odd number of times. */
function holdArea(held, corners, places) {
  for (let i = 0; i < held.length; i++) {
    const [x, y] = [places[2 * i], places[2 * i + 1]];
    let odd = false;
    for (let k = 0; k < corners.length; k += 2) {
      const next = (k + 2) % corners.length;
      const [x0, y0, x1, y1] = [corners[k], corners[k + 1], corners[next], corners[next + 1]];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
    }
    if (odd) held[i] = 1;
  }
}

/** A drawn line as a part of a selection; null where it encloses nothing. */
function areaText(space, line) {
  const step = Math.max(1, line.length / MAX_CORNERS);
  const corners = [];
  for (let k = 0; k < line.length; k += step) {
    corners.push(line[Math.floor(k)].map((place) => Math.round(clamp(place, 0, 1 + 1 / CORNER_STEPS) * CORNER_STEPS)));
  }
  return corners.length < 3 ? null : `${space}:${corners.slice(0, MAX_CORNERS).join(",")}`;
}

/** A selection with one part more, or with a named point taken away again. */
function combined(text, part) {
  const words = text.split(" ").filter(Boolean);
  const others = words.filter((word) => word !== part);
  return (others.length < words.length ? others : [...words, part]).slice(-MAX_PARTS).join(" ");
}
