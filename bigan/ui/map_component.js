// The map, part 3 of 3: what the server says and what the person does. map_component.py says what it is given.
//
// It is mounted twice: once with bytes, the points; and once with what changes, which finds its points by their key.

const MAX_ZOOM = 60;
const HIT = 12; // how near a point the pointer must be
const DRAG = 4; // how far the pointer moves before a click becomes a drag
const TIP_SCALE = 3; // of a thumbnail of 28 pixels
const HINT_MS = 1600;

export default function ({ data, parentElement, setTriggerValue }) {
  if (!data) return;
  if (data instanceof Uint8Array) return void receive(data);
  let root = parentElement.querySelector(".map");
  if (!root) {
    root = element("div", "map");
    parentElement.append(root);
    root.scatter = new Scatter(root);
  }
  root.scatter.update(data[0], (id) => setTriggerValue("picked", id));
}

class Scatter extends Painter {
  constructor(root) {
    super(root);
    this.pointers = new Map();
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "map");
    this.tip = element("div", "map-tip", { hidden: true });
    this.tip.picture = element("canvas", "map-tip-picture");
    this.tip.words = element("div", "map-tip-words");
    this.tip.append(this.tip.picture, this.tip.words);
    this.hint = element("div", "map-hint", { hidden: true });
    this.spoken = element("div", "map-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    root.append(this.buttons(), this.tip, this.hint, this.spoken);
    this.listen();
  }

  buttons() {
    const box = element("div", "map-buttons");
    const actions = [
      ["+", "Zoom in", () => this.zoom(1.6)],
      ["\u2212", "Zoom out", () => this.zoom(1 / 1.6)],
      ["\u2922", "Show all", () => this.showAll()],
    ];
    for (const [textContent, title, onclick] of actions) {
      const button = element("button", "", { type: "button", textContent, title, onclick });
      button.setAttribute("aria-label", title);
      box.append(button);
    }
    return box;
  }

  // What the server says

  async update(data, pick) {
    this.data = data;
    this.pick = pick;
    this.canvas.setAttribute("aria-label", data.alt);
    this.readColours();
    const points = await slot(data.points).promise;
    if (this.data !== data) return; // a newer answer came first
    const isNew = this.points !== points;
    this.points = points;
    if (isNew) {
      this.hover(null);
      this.showAll();
      points.pictures.then(() => this.draw());
    }
    const space = points.spaces[data.space];
    if (this.space !== space) this.fly(isNew ? null : this.space, space);
    this.space = space;
    const before = this.picked;
    this.picked = data.picked === STAR ? STAR : (points.index.get(data.picked) ?? null);
    this.neighbours = data.neighbours.map((id) => points.index.get(id)).filter((i) => i !== undefined);
    if (this.picked !== before && this.picked !== null && !this.isInView(...this.placeOf(this.picked))) {
      [this.view.x, this.view.y] = this.target(this.picked);
    }
    this.root.dataset.drawn = data.space; // for those who wait for it
    this.draw();
  }

  // Which point is meant

  nearest(left, top, limit) {
    if (this.data.star) {
      const [x, y] = this.placeOf(STAR);
      if (Math.hypot(x - left, y - top) < HIT + 3) return STAR;
    }
    const [x, y] = this.toMap(left, top);
    let best = null;
    let bestSquare = (limit / (this.fit * this.view.zoom)) ** 2;
    for (let i = 0; i < this.points.count; i++) {
      const square = (this.places[2 * i] - x) ** 2 + (this.places[2 * i + 1] - y) ** 2;
      if (square < bestSquare) [best, bestSquare] = [i, square];
    }
    return best;
  }

  get reach() {
    return this.asImages ? THUMBNAIL * 0.6 : HIT;
  }

  /** The point nearest to one in a direction; those far off the line count as farther. */
  next(i, dx, dy) {
    const [x, y] = this.target(i);
    let best = i;
    let bestCost = Infinity;
    for (let j = 0; j < this.points.count; j++) {
      const a = this.places[2 * j] - x;
      const b = this.places[2 * j + 1] - y;
      const along = a * dx + b * dy;
      const aside = Math.abs(a * dy) + Math.abs(b * dx);
      if (along <= 1e-6 || aside > along || along + 2 * aside >= bestCost) continue;
      [best, bestCost] = [j, along + 2 * aside];
    }
    return best;
  }

  // Moving the view

  zoom(factor, left = this.width / 2, top = this.height / 2) {
    if (!this.points) return;
    const before = this.toMap(left, top);
    this.view.zoom = clamp(this.view.zoom * factor, 1, MAX_ZOOM);
    const after = this.toMap(left, top);
    this.move(before[0] - after[0], before[1] - after[1]);
  }

  move(dx, dy) {
    const room = (1 - 1 / this.view.zoom) / 2; // how far the middle may stray; not at all when everything is shown
    this.view.x = clamp(this.view.x + dx, 0.5 - room, 0.5 + room);
    this.view.y = clamp(this.view.y + dy, 0.5 - room, 0.5 + room);
    this.canvas.style.touchAction = this.view.zoom > 1 ? "none" : "pan-y"; // one finger scrolls the page, then the map
    this.root.dataset.zoom = this.view.zoom.toFixed(2);
    this.draw();
  }

  showAll() {
    this.view.zoom = 1;
    this.move(0, 0);
  }

  // What the person does

  listen() {
    const canvas = this.canvas;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.onpointerdown = (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, at(event));
      if (this.pointers.size === 1) this.pressed = at(event);
      else this.pressed = null;
    };
    canvas.onpointermove = (event) => {
      if (!this.space) return;
      const [left, top] = at(event);
      const last = this.pointers.get(event.pointerId);
      if (!last) return this.hover(this.nearest(left, top, this.reach));
      if (this.pressed && Math.hypot(left - this.pressed[0], top - this.pressed[1]) < DRAG) return;
      this.pressed = null;
      this.hover(null);
      this.drag(event.pointerId, last, [left, top]);
    };
    canvas.onpointerup = (event) => {
      this.pointers.delete(event.pointerId);
      canvas.classList.remove("map-dragging");
      if (!this.pressed || !this.space) return;
      const limit = event.pointerType === "touch" ? 2 * HIT : this.reach;
      const found = this.nearest(...this.pressed, limit);
      this.pressed = null;
      this.hover(found);
      if (found !== null) this.choose(found);
    };
    canvas.onpointercancel = (event) => this.pointers.delete(event.pointerId);
    canvas.onpointerleave = () => this.hover(null);
    canvas.onblur = () => this.hover(null);
    canvas.onkeydown = (event) => this.key(event);
    canvas.addEventListener("wheel", (event) => this.wheel(event, at(event)), { passive: false });
  }

  drag(id, last, now) {
    const others = [...this.pointers].filter(([other]) => other !== id).map(([, place]) => place);
    this.pointers.set(id, now);
    this.canvas.classList.add("map-dragging");
    const size = this.fit * this.view.zoom;
    if (others.length === 0) return this.move((last[0] - now[0]) / size, (last[1] - now[1]) / size);
    const distance = ([x, y]) => Math.max(1, Math.hypot(x - others[0][0], y - others[0][1]));
    this.zoom(distance(now) / distance(last), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
  }

  /** Scrolling zooms where the person has turned to the map, and scrolls the page where not. */
  wheel(event, [left, top]) {
    const meant = event.ctrlKey || event.metaKey || this.root.getRootNode().activeElement === this.canvas;
    if (!meant) return this.say("Click the map, or hold Ctrl, to zoom by scrolling");
    if (event.deltaY > 0 && this.view.zoom === 1) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(Math.exp(clamp(-event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.01 : 0.004)), left, top);
  }

  say(words) {
    this.hint.textContent = words;
    this.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => (this.hint.hidden = true), HINT_MS);
  }

  key(event) {
    if (!this.space || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const current = this.hovered ?? this.picked ?? 0;
    if (event.key in steps) this.step(this.next(current, ...steps[event.key]));
    else if (event.key === "Enter" || event.key === " ") this.choose(current);
    else if (event.key === "+" || event.key === "=") this.zoom(1.6, ...this.placeOf(current));
    else if (event.key === "-") this.zoom(1 / 1.6);
    else if (event.key === "0") this.showAll();
    else if (event.key === "Escape") this.hover(null);
    else return;
    event.preventDefault();
  }

  step(i) {
    const [left, top] = this.placeOf(i);
    const size = this.fit * this.view.zoom;
    const over = (value, limit) => (value < MARGIN ? value - MARGIN : value > limit - MARGIN ? value - limit + MARGIN : 0);
    this.move(over(left, this.width) / size, over(top, this.height) / size);
    this.hover(i);
    this.spoken.textContent = this.nameOf(i);
  }

  choose(i) {
    this.picked = i;
    this.neighbours = [];
    this.draw();
    this.pick(i === STAR ? STAR : this.points.ids[i]);
  }

  nameOf(i) {
    return i === STAR ? this.data.star.name : `${this.points.classNames[this.points.labels[i]]}, ${this.points.ids[i]}`;
  }

  hover(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.canvas.style.cursor = i === null ? "" : "pointer";
    this.tip.hidden = i === null;
    if (i !== null) this.fillTip(i);
    if (this.points) this.draw();
  }

  fillTip(i) {
    const [width, height] = this.points.tile;
    const { picture, words } = this.tip;
    const scale = Math.max(1, Math.round((TIP_SCALE * 28) / Math.max(width, height)));
    words.textContent = this.nameOf(i);
    picture.hidden = i === STAR || !this.points.sprite;
    if (!picture.hidden) {
      picture.width = width;
      picture.height = height;
      picture.style.width = `${width * scale}px`;
      picture.style.height = `${height * scale}px`;
      this.picture(picture.getContext("2d"), i, 0, 0, width, height);
    }
    const [left, top] = this.placeOf(i);
    const box = this.tip.getBoundingClientRect();
    const beside = left + 18 + box.width > this.width ? left - 18 - box.width : left + 18;
    this.tip.style.left = `${clamp(beside, 4, Math.max(4, this.width - box.width - 4))}px`;
    this.tip.style.top = `${clamp(top - box.height / 2, 4, Math.max(4, this.height - box.height - 4))}px`;
  }
}
