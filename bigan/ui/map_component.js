// The map, last part: what the server says and what the person does. map_component.py says what it is given.
//
// It is mounted more than once: with bytes, the points; and with what changes, which finds its points by their key.

const MAX_ZOOM = 60;
const HIT = 12; // how near a point the pointer must be
const DRAG = 4; // how far the pointer moves before a click becomes a drag
const TIP_SCALE = 3; // of a thumbnail of 28 pixels
const HINT_MS = 1600;
const VIEW_MS = 500; // the view rests so long before it goes into the address
const ANSWER_MS = 5000; // after which the server is believed although it never answered
const PAN = 0.15; // of what is in view, by one press of an arrow key
const LINE = 3; // how far the pointer moves before a drawn line gets another corner

export default function ({ data, parentElement, setTriggerValue }) {
  if (!data) return;
  if (data instanceof Uint8Array) return void receive(data);
  let root = parentElement.querySelector(".map");
  if (!root) {
    root = element("div", "map");
    const legend = element("div", "map-legend");
    parentElement.append(root, legend);
    root.scatter = new Scatter(root, legend);
  }
  root.scatter.update(data[0], setTriggerValue);
}

class Scatter extends Painter {
  constructor(root, legend) {
    super(root);
    this.legend = legend;
    this.pointers = new Map();
    this.heard = {}; // what the server said last, by the name it has there
    this.sent = {}; // what it was told since
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "map");
    this.tip = element("div", "map-tip", { hidden: true });
    this.tip.pictures = [0, 1].map(() => element("canvas", "map-tip-picture"));
    this.tip.row = element("div", "map-tip-row");
    this.tip.row.append(...this.tip.pictures);
    this.tip.words = element("div", "map-tip-words");
    this.tip.append(this.tip.row, this.tip.words);
    this.hint = element("div", "map-hint", { hidden: true });
    this.spoken = element("div", "map-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    this.box = this.buttons();
    root.append(this.box, this.tip, this.hint, this.spoken);
    this.listen();
  }

  buttons() {
    const box = element("div", "map-buttons");
    const actions = [
      ["+", "Zoom in", () => this.zoom(1.6)],
      ["\u2212", "Zoom out", () => this.zoom(1 / 1.6)],
      ["\u2922", "Show all", () => this.showAll()],
      ["\u25cc", "Select: draw around points (hold Shift to add)", () => this.drawLines(!this.drawing)],
      ["\u25a3", "Select all that is in view (A)", () => this.selectView(false)],
      ["\u00d7", "Clear the selection (Escape)", () => this.select("")],
    ];
    const made = actions.map(([textContent, title, onclick]) => {
      const button = element("button", "", { type: "button", textContent, title, onclick });
      button.setAttribute("aria-label", title);
      return button;
    });
    [this.lasso, , this.clear] = made.slice(-3);
    this.lasso.setAttribute("aria-pressed", "false");
    this.clear.hidden = true;
    box.append(...made);
    return box;
  }

  // What the server says

  async update(data, send) {
    this.data = data;
    this.send = send;
    this.canvas.setAttribute("aria-label", data.alt);
    this.readColours();
    const points = await slot(data.points).promise;
    if (this.data !== data) return; // a newer answer came first
    const isNew = this.points !== points;
    this.points = points;
    this.values = data.values === null ? null : Uint8Array.from(atob(data.values), (letter) => letter.charCodeAt(0));
    if (isNew) {
      this.hover(null);
      this.heard = {};
      points.pictures.then(() => this.draw());
    }
    const space = points.spaces[data.space];
    if (this.space !== space) this.fly(isNew ? null : this.space, space);
    this.space = space;
    const recalled = this.isNews("seen", data.view);
    if (recalled) this.recall(data.view);
    if (this.isNews("hidden", data.hidden)) this.hidden = new Set(data.hidden.split(",").filter(Boolean).map(Number));
    if (this.isNews("selected", data.selection)) this.selection = data.selection;
    this.hold(this.selection);
    this.haunt(data.ghost);
    this.fillLegend();
    const before = this.picked;
    this.picked = data.picked === STAR ? STAR : (points.index.get(data.picked) ?? null);
    this.neighbours = data.neighbours.map((id) => points.index.get(id)).filter((i) => i !== undefined);
    const moved = this.picked !== before && !(recalled && data.view);
    if (moved && this.picked !== null && !this.isInView(...this.placeOf(this.picked))) {
      [this.view.x, this.view.y] = this.target(this.picked);
    }
    this.root.dataset.drawn = data.space; // for those who wait for it
    this.draw();
  }

  /** Whether the server says something else than last time, and not what it was told a moment ago. */
  isNews(name, value) {
    if (value === this.heard[name]) return false;
    this.heard[name] = value;
    const sent = (this.sent[name] ?? []).filter(({ since }) => Date.now() - since < ANSWER_MS);
    const at = sent.findIndex((one) => one.value === value);
    this.sent[name] = sent.slice(at + 1);
    return at < 0;
  }

  tell(name, value) {
    (this.sent[name] ??= []).push({ value, since: Date.now() });
    this.send(name, value);
  }

  /** The view that the address names, or all. */
  recall(view) {
    const [x, y, zoom] = view.split(",").map(Number);
    const known = view !== "" && [x, y, zoom].every(Number.isFinite);
    this.view = known ? { x: x / 1000, y: y / 1000, zoom: clamp(zoom / 100, 1, MAX_ZOOM) } : { x: 0.5, y: 0.5, zoom: 1 };
    this.sentView = view;
    this.move(0, 0);
  }

  hold(selection) {
    this.selection = selection;
    const held = selection ? holding(selection, this.points).map((one, i) => (this.isHidden(i) ? 0 : one)) : null;
    const count = held ? held.reduce((sum, one) => sum + one, 0) : 0;
    this.held = count ? held : null;
    this.root.dataset.selected = count;
    this.clear.hidden = !selection;
  }

  select(selection) {
    if (selection === this.selection) return;
    this.hold(selection);
    this.spoken.textContent = `${this.root.dataset.selected} points selected`;
    this.draw();
    this.tell("selected", selection);
  }

  /** All points in view, as if a line were drawn around it. */
  selectView(adding) {
    const corners = [[0, 0], [this.width, 0], [this.width, this.height], [0, this.height]];
    this.enclose(corners.map((corner) => this.toMap(...corner)), adding);
  }

  drawLines(drawing) {
    this.drawing = drawing;
    this.lasso.setAttribute("aria-pressed", String(drawing));
    this.canvas.style.touchAction = drawing ? "none" : "";
    if (drawing) this.say("Draw around points: a new line replaces the selection, with Shift it adds");
    else this.move(0, 0);
  }

  haunt(ghost) {
    if (!ghost || this.ghost?.src === ghost.picture) return;
    this.ghost = element("img", "", { src: ghost.picture, onload: () => this.draw() });
  }

  get hiddenText() {
    return [...this.hidden].sort((a, b) => a - b).join(",");
  }

  /** A button for each class, which hides and shows it; the name stands beside the colour. */
  fillLegend() {
    const { points, colours, without } = this.legend;
    if (points === this.points && colours === this.colours && without === this.hiddenText) return;
    this.legend.without = this.hiddenText;
    this.legend.points = this.points;
    this.legend.colours = this.colours;
    const used = new Set(this.points.labels);
    const chips = this.points.classNames.flatMap((textContent, label) => {
      if (!used.has(label)) return [];
      const title = `Show or hide ${textContent}`;
      const chip = element("button", "map-chip", { type: "button", textContent, title });
      chip.style.setProperty("--chip", this.colours.classes[label % this.colours.classes.length]);
      chip.setAttribute("aria-pressed", String(!this.hidden.has(label)));
      chip.onclick = () => {
        if (!this.hidden.delete(label)) this.hidden.add(label);
        chip.setAttribute("aria-pressed", String(!this.hidden.has(label)));
        this.legend.without = this.hiddenText; // the chips stay as they are, and one keeps the focus
        this.hold(this.selection);
        this.draw();
        this.tell("hidden", this.hiddenText);
      };
      return [chip];
    });
    this.legend.replaceChildren(...chips);
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
      if (this.isHidden(i)) continue;
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
      if (this.isHidden(j)) continue;
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
    const touched = this.view.zoom > 1 || this.drawing;
    this.canvas.style.touchAction = touched ? "none" : "pan-y"; // one finger scrolls the page, then the map
    this.root.dataset.zoom = this.view.zoom.toFixed(2);
    this.draw();
    clearTimeout(this.viewTimer);
    this.viewTimer = setTimeout(() => this.sendView(), VIEW_MS);
  }

  sendView() {
    const { x, y, zoom } = this.view;
    const view = zoom === 1 ? "" : [1000 * x, 1000 * y, 100 * zoom].map(Math.round).join(",");
    if (view === this.sentView || !this.send) return;
    this.sentView = view;
    this.tell("seen", view);
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
      this.pressed = this.pointers.size === 1 ? at(event) : null;
      const starts = this.pressed && this.space && (event.shiftKey || this.drawing);
      this.line = starts ? [this.toMap(...this.pressed)] : null;
    };
    canvas.onpointermove = (event) => {
      if (!this.space) return;
      const [left, top] = at(event);
      const last = this.pointers.get(event.pointerId);
      if (!last) return this.hover(this.nearest(left, top, this.reach));
      if (this.pressed && Math.hypot(left - this.pressed[0], top - this.pressed[1]) < DRAG) return;
      this.pressed = null;
      this.hover(null);
      if (this.line) this.drawOn(left, top);
      else this.drag(event.pointerId, last, [left, top]);
    };
    canvas.onpointerup = (event) => {
      this.pointers.delete(event.pointerId);
      canvas.classList.remove("map-dragging");
      const line = this.line;
      this.line = null;
      if (line && !this.pressed) return this.enclose(line, event.shiftKey);
      if (!this.pressed || !this.space) return;
      const limit = event.pointerType === "touch" ? 2 * HIT : this.reach;
      const found = this.nearest(...this.pressed, limit);
      const place = this.toMap(...this.pressed);
      this.pressed = null;
      this.hover(found);
      if (found === null) this.ask(place);
      else if (event.shiftKey && found !== STAR) this.select(combined(this.selection, this.points.ids[found]));
      else this.choose(found);
    };
    canvas.onpointercancel = (event) => {
      this.pointers.delete(event.pointerId);
      this.line = null;
    };
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

  drawOn(left, top) {
    const [x, y] = this.toScreen(...this.line.at(-1));
    if (Math.hypot(left - x, top - y) < LINE) return;
    this.line.push(this.toMap(left, top));
    this.draw();
  }

  enclose(line, adding) {
    const area = areaText(this.data.space, line);
    this.draw();
    if (!area) return;
    const before = Number(this.root.dataset.selected);
    this.select(adding ? combined(this.selection, area) : area);
    const now = Number(this.root.dataset.selected);
    if (!before) this.say(`${now} selected; hold Shift while drawing to add more`);
    else this.say(adding ? `${now - before} added: ${now} selected` : `${now} selected, in place of ${before}`);
  }

  /** A place without a point: the model is asked what might be there. */
  ask(place) {
    this.send("asked", place.map((part) => Math.round(CORNER_STEPS * clamp(part, 0, 1))).join(","));
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
    if (event.key in steps && event.shiftKey) this.pan(...steps[event.key]);
    else if (event.key.toLowerCase() === "a") this.selectView(event.shiftKey);
    else if (event.key in steps) this.step(this.next(current, ...steps[event.key]));
    else if (event.key === "Enter") this.choose(current);
    else if (event.key === " " && current !== STAR) this.select(combined(this.selection, this.points.ids[current]));
    else if (event.key === "+" || event.key === "=") this.zoom(1.6, ...this.placeOf(current));
    else if (event.key === "-") this.zoom(1 / 1.6);
    else if (event.key === "0") this.showAll();
    else if (event.key === "g") this.ask([this.view.x, this.view.y]);
    else if (event.key === "Escape") this.escape();
    else return;
    event.preventDefault();
  }

  pan(dx, dy) {
    const size = this.fit * this.view.zoom;
    this.move((PAN * dx * this.width) / size, (PAN * dy * this.height) / size);
  }

  /** One thing at a time: the line, the mode, the selection, then what is looked at. */
  escape() {
    if (this.line) this.line = null;
    else if (this.drawing) this.drawLines(false);
    else if (this.selection) this.select("");
    else this.hover(null);
    this.draw();
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
    this.send("picked", i === STAR ? STAR : this.points.ids[i]);
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
    const { pictures, row, words } = this.tip;
    const scale = Math.max(1, Math.round((TIP_SCALE * 28) / Math.max(width, height)));
    words.textContent = this.nameOf(i);
    row.hidden = i === STAR || !this.points.sprite;
    for (const [picture, sprite] of [[pictures[0], this.points.sprite], [pictures[1], this.points.twins]]) {
      picture.hidden = row.hidden || !sprite;
      if (picture.hidden) continue;
      picture.width = width;
      picture.height = height;
      picture.style.width = `${width * scale}px`;
      picture.style.height = `${height * scale}px`;
      picture.style.setProperty("--frame", this.colours[sprite === this.points.twins ? "generated" : "real"]);
      this.picture(picture.getContext("2d"), i, 0, 0, width, height, sprite);
    }
    const [left, top] = this.placeOf(i);
    const box = this.tip.getBoundingClientRect();
    const beside = left + 18 + box.width > this.width ? left - 18 - box.width : left + 18;
    this.tip.style.left = `${clamp(beside, 4, Math.max(4, this.width - box.width - 4))}px`;
    this.tip.style.top = `${clamp(top - box.height / 2, 4, Math.max(4, this.height - box.height - 4))}px`;
  }
}
