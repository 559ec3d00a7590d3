// The map, the canvas, where things are on it, and how they are painted.
//
// Places on the map run from 0 to 1, y downwards; the rest is in CSS pixels.

const MARGIN = 26;
const THUMBNAIL = 28;
const MAX_THUMBNAILS = 160; // with so few points in view, they are shown as images
const MANY = 8000; // more points than these are painted as pixels, not as discs
const FAINT = 0.22; // how much of a point's colour is left where others are selected
const FLIGHT_MS = 700;
const STAR = "star";

function element(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Painter {
  constructor(root) {
    this.root = root;
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.hovered = this.picked = null; // an index, or STAR
    this.hidden = new Set(); // labels
    this.held = null; // 1 for each selected point, where there are any
    this.values = null; // what the points are coloured by, 0 to 254, or 255 for those that are filtered out
    this.canvas = element("canvas", "map-canvas", { tabIndex: 0 });
    this.context = this.canvas.getContext("2d");
    root.append(this.canvas);
    new ResizeObserver(() => this.resize()).observe(root);
    this.resize();
  }

  resize() {
    const { clientWidth, clientHeight } = this.root;
    this.width = clientWidth;
    this.height = clientHeight;
    this.ratio = globalThis.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.dots = null;
    this.draw();
  }

  readColours() {
    const style = getComputedStyle(this.root);
    const value = (name) => style.getPropertyValue(name).trim();
    this.ink = value("--st-text-color");
    this.paper = value("--st-background-color");
    this.font = style.fontFamily;
    this.context.fillStyle = this.paper;
    const [red, green, blue] = this.context.fillStyle.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    this.colours = this.data.colours[red + green + blue < 384 ? "dark" : "light"];
    this.dots = this.inks = null;
  }

  /** Let the points move from one space's places to another's, unless the person wants no motion. */
  fly(from, to) {
    const still = !from || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.flight = still ? null : { from, to, start: performance.now() };
    this.places = still ? to.places : Float32Array.from(this.places);
    if (from) this.hover(null);
  }

  advance() {
    if (!this.flight) return;
    const { to, start } = this.flight;
    const share = clamp((performance.now() - start) / FLIGHT_MS, 0, 1);
    if (share === 1) {
      this.flight = null;
      this.places = to.places;
      return;
    }
    this.flight.base ??= Float32Array.from(this.places);
    const eased = share * share * (3 - 2 * share);
    for (let i = 0; i < this.places.length; i++) {
      this.places[i] = this.flight.base[i] + eased * (to.places[i] - this.flight.base[i]);
    }
    this.draw();
  }

  // Where things are

  get fit() {
    const [x, y] = this.space.extent;
    return Math.min((this.width - 2 * MARGIN) / x, (this.height - 2 * MARGIN) / y);
  }

  toScreen(x, y) {
    const size = this.fit * this.view.zoom;
    return [this.width / 2 + (x - this.view.x) * size, this.height / 2 + (y - this.view.y) * size];
  }

  toMap(left, top) {
    const size = this.fit * this.view.zoom;
    return [this.view.x + (left - this.width / 2) / size, this.view.y + (top - this.height / 2) / size];
  }

  /** The place of a point as drawn now, or of the star. */
  target(i) {
    if (i === STAR) return this.data.star ? [this.data.star.x, this.data.star.y] : [0.5, 0.5];
    return [this.places[2 * i], this.places[2 * i + 1]];
  }

  placeOf(i) {
    return this.toScreen(...this.target(i));
  }

  isInView(left, top) {
    return left >= 0 && top >= 0 && left <= this.width && top <= this.height;
  }

  // Drawing

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (this.space && this.width) this.paint();
    });
  }

  get radius() {
    return clamp((this.points.count > 3000 ? 2.4 : 3.5) * this.view.zoom ** 0.4, 2, 7);
  }

  paint() {
    this.advance();
    const context = this.context;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (this.points.count > MANY) this.paintPixels();
    const seen = this.seen();
    this.asImages = this.view.zoom > 1 && seen.length <= MAX_THUMBNAILS && this.points.sprite !== null;
    this.root.dataset.inView = seen.length;
    if (this.asImages) {
      context.clearRect(0, 0, this.width, this.height);
      this.paintImages(seen);
    } else if (this.points.count <= MANY) this.paintDots(seen);
    this.paintLines();
    if (!this.flight) this.paintNames();
    if (this.picked !== null && this.picked !== STAR) this.mark(this.picked, 3);
    if (this.hovered !== null && this.hovered !== STAR) this.mark(this.hovered, 2);
    if (this.data.star && !this.flight) this.paintStar();
    if (this.data.ghost && !this.flight) this.paintGhost();
    if (this.line) this.paintLine();
  }

  /** The points in view that are not hidden, with their places. */
  seen() {
    const found = [];
    const size = this.fit * this.view.zoom;
    const [left, top] = [this.width / 2 - this.view.x * size, this.height / 2 - this.view.y * size];
    for (const i of this.points.order) {
      if (this.isHidden(i)) continue;
      const [x, y] = [left + this.places[2 * i] * size, top + this.places[2 * i + 1] * size];
      if (this.isInView(x, y)) found.push([i, x, y]);
    }
    return found;
  }

  isHidden(i) {
    return this.hidden.has(this.points.labels[i]) || (this.values !== null && this.values[i] === 255);
  }

  /** Which of `colours.classes`, or of the ramp behind them, a point has. */
  inkOf(i) {
    const classes = this.colours.classes.length;
    if (this.values === null) return this.points.labels[i] % classes;
    return classes + Math.floor((this.values[i] / 255) * this.data.ramp.length);
  }

  get palette() {
    return [...this.colours.classes, ...this.data.ramp];
  }

  isFaint(i) {
    return this.held !== null && !this.held[i];
  }

  /** Very many points: straight into the pixels, as squares without their corners. */
  paintPixels() {
    const { width, height } = this.canvas;
    if (this.image?.width !== width || this.image.height !== height) this.image = new ImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer).fill(0);
    this.inks ??= [1, FAINT].map((share) => Uint32Array.from(this.palette, (colour) => this.pixel(colour, share)));
    const size = this.fit * this.view.zoom * this.ratio;
    const [left, top] = [(this.width * this.ratio) / 2 - this.view.x * size, (this.height * this.ratio) / 2 - this.view.y * size];
    const radius = Math.max(1, Math.round(0.6 * this.radius * this.ratio));
    for (const faint of this.held ? [true, false] : [false]) {
      for (const i of this.points.order) {
        if (this.isFaint(i) !== faint || this.isHidden(i)) continue;
        const x = Math.round(left + this.places[2 * i] * size);
        const y = Math.round(top + this.places[2 * i + 1] * size);
        if (x < radius || y < radius || x >= width - radius || y >= height - radius) continue;
        const ink = this.inks[faint ? 1 : 0][this.inkOf(i)];
        for (let row = -radius; row <= radius; row++) {
          const half = row === -radius || row === radius ? radius - 1 : radius;
          const from = (y + row) * width + x;
          pixels.fill(ink, from - half, from + half + 1);
        }
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }

  /** A colour as one pixel, mixed with the paper. */
  pixel(colour, share) {
    const parts = (text) => {
      this.context.fillStyle = text;
      return this.context.fillStyle.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    };
    const paper = parts(this.paper);
    const [red, green, blue] = parts(colour).map((value, k) => Math.round(share * value + (1 - share) * paper[k]));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }

  paintDots(seen) {
    const radius = this.radius;
    if (this.dots?.radius !== radius) this.makeDots(radius);
    const { images, side } = this.dots;
    for (const faint of this.held ? [true, false] : [false]) {
      this.context.globalAlpha = faint ? FAINT : 1;
      for (const [i, left, top] of seen) {
        if (this.isFaint(i) !== faint) continue;
        this.context.drawImage(images[this.inkOf(i)], left - side / 2, top - side / 2, side, side);
      }
    }
    this.context.globalAlpha = 1;
  }

  makeDots(radius) {
    const side = 2 * radius + 2;
    const images = this.palette.map((colour) => {
      const canvas = element("canvas", "");
      canvas.width = canvas.height = Math.ceil(side * this.ratio);
      const context = canvas.getContext("2d");
      context.scale(canvas.width / side, canvas.width / side);
      context.beginPath();
      context.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.strokeStyle = this.paper;
      context.lineWidth = 0.4;
      context.stroke();
      return canvas;
    });
    this.dots = { radius, side, images };
  }

  paintImages(seen) {
    const [width, height] = this.points.tile;
    const scale = THUMBNAIL / Math.max(width, height);
    const [w, h] = [width * scale, height * scale];
    this.context.imageSmoothingEnabled = scale < 1;
    for (const [i, left, top] of seen) {
      this.context.globalAlpha = this.isFaint(i) ? FAINT : 1;
      this.context.fillStyle = this.palette[this.inkOf(i)];
      this.context.fillRect(left - w / 2 - 2, top - h / 2 - 2, w + 4, h + 4);
      this.picture(this.context, i, left - w / 2, top - h / 2, w, h);
    }
    this.context.globalAlpha = 1;
  }

  picture(context, i, left, top, w, h, sprite = this.points.sprite) {
    const { columns, tile } = this.points;
    const [x, y] = [(i % columns) * tile[0], Math.floor(i / columns) * tile[1]];
    context.drawImage(sprite, x, y, tile[0], tile[1], left, top, w, h);
  }

  /** Lines from the picked one to its nearest in the space itself, wherever the map has put them. */
  paintLines() {
    if (this.picked === null || !this.neighbours) return;
    if (this.picked === STAR && (!this.data.star || this.flight)) return;
    const from = this.placeOf(this.picked);
    for (const [colour, width] of [[this.paper, 4], [this.ink, 1.5]]) {
      this.context.strokeStyle = colour;
      this.context.lineWidth = width;
      for (const i of this.neighbours) {
        this.context.beginPath();
        this.context.moveTo(...from);
        this.context.lineTo(...this.placeOf(i));
        this.context.stroke();
      }
    }
    for (const i of this.neighbours) this.mark(i, 1.5);
  }

  /** A point drawn once more, over the others, with a ring; the wider, the larger. Of a hidden one, the ring alone. */
  mark(i, width) {
    const [left, top] = this.placeOf(i);
    const side = THUMBNAIL / 2 + 3;
    for (const [colour, line] of [[this.paper, width + 3], [this.ink, width]]) {
      this.context.beginPath();
      if (this.asImages) this.context.rect(left - side, top - side, 2 * side, 2 * side);
      else this.context.arc(left, top, this.radius + 2.2 * width - 1, 0, 2 * Math.PI);
      this.context.strokeStyle = colour;
      this.context.lineWidth = line;
      this.context.stroke();
    }
    if (this.isHidden(i)) return;
    if (this.asImages) this.paintImages([[i, left, top]]);
    else this.paintDots([[i, left, top]]);
  }

  /** Each class's name at the median of its points, moved up or down where two would overlap. */
  paintNames() {
    const context = this.context;
    const taken = this.picked === null ? [] : [[...this.placeOf(this.picked), 10]]; // left, top, half the width
    if (this.data.star) taken.push(this.starLabel());
    context.font = `600 14px ${this.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.space.medians.forEach((median, label) => {
      if (!median || this.hidden.has(label)) return;
      const name = this.points.classNames[label];
      const half = context.measureText(name).width / 2 + 7;
      let [left, top] = this.toScreen(...median);
      if (!this.isInView(left, top)) return;
      left = clamp(left, half + 2, this.width - half - 2);
      const clashes = (y) => taken.some(([x, z, other]) => Math.abs(x - left) < other + half && Math.abs(z - y) < 25);
      top = [0, 25, -25, 50, -50, 75, -75].map((shift) => top + shift).find((y) => !clashes(y)) ?? top;
      taken.push([left, top, half]);
      this.pill(left, top, half, name, this.colours.classes[label % this.colours.classes.length]);
    });
  }

  pill(left, top, half, words, colour) {
    const context = this.context;
    context.beginPath();
    context.roundRect(left - half, top - 11.5, 2 * half, 23, 11.5);
    context.globalAlpha = 0.88;
    context.fillStyle = this.paper;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
    context.fillStyle = this.ink;
    context.fillText(words, left, top + 1);
  }

  /** What G makes at a place where there is no point: in its own frame, dashed, for nobody ever put it there. */
  paintGhost() {
    const context = this.context;
    const place = this.toScreen(this.data.ghost.x, this.data.ghost.y);
    if (!this.isInView(...place)) return;
    const [w, h] = this.points.tile.map((length) => (length * 2 * THUMBNAIL) / Math.max(...this.points.tile));
    const [left, top] = this.clearOf(...place, w / 2 + 5, h / 2 + 5);
    this.root.dataset.ghost = [left, top].map(Math.round).join(",");
    if (left !== place[0] || top !== place[1]) this.tether(place, [left, top]);
    context.imageSmoothingEnabled = false;
    context.fillStyle = this.paper;
    context.fillRect(left - w / 2 - 3, top - h / 2 - 3, w + 6, h + 6);
    if (this.ghost?.complete) context.drawImage(this.ghost, left - w / 2, top - h / 2, w, h);
    context.setLineDash([5, 4]);
    context.lineWidth = 2;
    context.strokeStyle = this.colours.generated;
    context.strokeRect(left - w / 2 - 2, top - h / 2 - 2, w + 4, h + 4);
    context.setLineDash([]);
  }

  /** The middle of a picture that is whole in view and not under the buttons, near a place; with half its sides. */
  clearOf(x, y, halfWidth, halfHeight) {
    const { offsetLeft, offsetTop, offsetHeight } = this.box;
    const top = clamp(y, halfHeight, this.height - halfHeight);
    const isBeside = top - halfHeight < offsetTop + offsetHeight;
    return [clamp(x, halfWidth, (isBeside ? offsetLeft : this.width) - halfWidth), top];
  }

  /** From a picture that had to move, to where it belongs. */
  tether(from, to) {
    const context = this.context;
    context.strokeStyle = context.fillStyle = this.colours.generated;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    context.beginPath();
    context.arc(...from, 4, 0, 2 * Math.PI);
    context.fill();
  }

  /** The line that is being drawn around points. */
  paintLine() {
    const context = this.context;
    context.beginPath();
    for (const [x, y] of this.line) context.lineTo(...this.toScreen(x, y));
    context.closePath();
    context.setLineDash([6, 4]);
    for (const [colour, width] of [[this.paper, 4], [this.ink, 1.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
    context.setLineDash([]);
  }

  paintStar() {
    const context = this.context;
    const { kind, name } = this.data.star;
    const [left, top] = this.placeOf(STAR);
    context.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const length = corner % 2 ? 6 : 14;
      const angle = (corner / 10) * 2 * Math.PI - Math.PI / 2;
      context.lineTo(left + length * Math.cos(angle), top + length * Math.sin(angle));
    }
    context.closePath();
    context.lineJoin = "round";
    context.strokeStyle = this.paper;
    context.lineWidth = 6;
    context.stroke();
    context.strokeStyle = this.ink;
    context.lineWidth = this.picked === STAR || this.hovered === STAR ? 3.5 : 2;
    context.stroke();
    context.fillStyle = this.colours[kind];
    context.fill();
    context.textAlign = "center";
    this.pill(...this.starLabel(), name, this.colours[kind]);
  }

  /** Where the star's name stands: left, top, half the width. */
  starLabel() {
    this.context.font = `600 14px ${this.font}`;
    const half = this.context.measureText(this.data.star.name).width / 2 + 7;
    const [left, top] = this.placeOf(STAR);
    const beside = top + 30 < this.height - 14 ? top + 30 : top - 30;
    return [clamp(left, half + 2, this.width - half - 2), beside, half];
  }
}
