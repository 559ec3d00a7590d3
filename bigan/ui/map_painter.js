// The map, part 2 of 3: the canvas, where things are on it, and how they are painted.
//
// Places on the map run from 0 to 1, y downwards; the rest is in CSS pixels.

const MARGIN = 26;
const THUMBNAIL = 28;
const MAX_THUMBNAILS = 160; // with so few points in view, they are shown as images
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
    this.dots = null;
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
    const seen = [];
    for (const i of this.points.order) {
      const [left, top] = this.placeOf(i);
      if (this.isInView(left, top)) seen.push([i, left, top]);
    }
    this.asImages = this.view.zoom > 1 && seen.length <= MAX_THUMBNAILS && this.points.sprite !== null;
    this.root.dataset.inView = seen.length;
    if (this.asImages) this.paintImages(seen);
    else this.paintDots(seen);
    this.paintLines();
    if (!this.flight) this.paintNames();
    if (this.picked !== null && this.picked !== STAR) this.mark(this.picked, 3);
    if (this.hovered !== null && this.hovered !== STAR) this.mark(this.hovered, 2);
    if (this.data.star && !this.flight) this.paintStar();
  }

  paintDots(seen) {
    const radius = this.radius;
    if (this.dots?.radius !== radius) this.makeDots(radius);
    const { images, side } = this.dots;
    for (const [i, left, top] of seen) {
      this.context.drawImage(images[this.points.labels[i] % images.length], left - side / 2, top - side / 2, side, side);
    }
  }

  makeDots(radius) {
    const side = 2 * radius + 2;
    const images = this.colours.classes.map((colour) => {
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
      this.context.fillStyle = this.colours.classes[this.points.labels[i] % this.colours.classes.length];
      this.context.fillRect(left - w / 2 - 2, top - h / 2 - 2, w + 4, h + 4);
      this.picture(this.context, i, left - w / 2, top - h / 2, w, h);
    }
  }

  picture(context, i, left, top, w, h) {
    const { columns, tile, sprite } = this.points;
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

  /** A point drawn once more, over the others, with a ring; the wider, the larger. */
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
      if (!median) return;
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
