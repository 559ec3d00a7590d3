// A grid of images whose cells are buttons. grid.py says what it is given.
//
// The choice is shown at once and sent with the time it was made; what the server says is believed again when it
// answers with that time. Cells stay in place over reruns, and with them the focus.

const LONG_PRESS_MS = 450;
const DRAG = 8; // how far a finger moves before a long press is none
const ANSWER_MS = 5000; // after which a choice without an answer is no longer believed
const SMALLEST = { fine: 24, coarse: 40 }; // of a cell, in CSS pixels
const GAP = 1; // between images, in their own pixels

function draw({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".bg-grid");
  if (!root) {
    root = element("div", "bg-grid");
    parentElement.append(root);
    root.grid = new Grid(root);
  }
  root.grid.update(data, (choice) => setTriggerValue("chosen", choice));
}

function element(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

class Grid {
  constructor(root) {
    this.root = root;
    this.cells = [];
    this.chosen = [];
    this.at = 0; // the cell that the Tab key reaches
    this.stamp = 0; // when the last choice was made here
    this.frame = element("div", "bg-grid-frame");
    this.canvas = element("canvas", "");
    this.canvas.setAttribute("aria-hidden", "true");
    this.box = element("div", "bg-grid-cells");
    this.box.setAttribute("role", "grid");
    this.caption = element("div", "bg-grid-caption");
    this.tip = element("div", "bg-grid-tip", { hidden: true });
    this.tip.setAttribute("aria-hidden", "true"); // the cell's name says the same
    this.tip.innerHTML = `<b></b><span></span><div class="bg-grid-needle"><i></i></div><span></span>`;
    this.frame.append(this.canvas, this.box);
    root.append(this.frame, this.caption, this.buttons(), this.tip);
    this.listen();
    new ResizeObserver(() => this.arrange()).observe(root);
  }

  buttons() {
    this.bar = element("div", "bg-grid-bar");
    this.adding = element("button", "", { type: "button", textContent: "Select several" });
    this.adding.title = "Each one pressed is added or taken away; Shift or Ctrl with a click does the same";
    this.adding.onclick = () => this.addEach(!this.isAdding);
    this.clearing = element("button", "", { type: "button", textContent: "Clear" });
    this.clearing.onclick = () => this.clear();
    this.told = element("output", "");
    this.bar.append(this.adding, this.clearing, this.told);
    this.addEach(false);
    return this.bar;
  }

  addEach(on) {
    this.isAdding = on;
    this.adding.setAttribute("aria-pressed", on);
  }

  // What the server says

  update(data, send) {
    this.data = data;
    this.send = send;
    const awaited = data.stamp < this.stamp && Date.now() - this.stamp < ANSWER_MS;
    if (!awaited) this.chosen = data.chosen;
    this.box.setAttribute("aria-label", data.alt);
    this.box.setAttribute("aria-multiselectable", data.several);
    this.frame.className = `bg-grid-frame bg-frame-${data.kind}${data.smooth ? "" : " bg-grid-crisp"}`;
    this.caption.textContent = data.caption;
    this.caption.hidden = !data.caption;
    this.bar.style.display = data.several ? "" : "none";
    this.fill();
    this.mark();
    this.arrange();
    this.load(data.sheet);
    if (!this.tip.hidden) this.tell(this.told_of);
  }

  /** One element per image; those that are there already stay. */
  fill() {
    const { names, details, shares, opinions } = this.data;
    while (this.cells.length > names.length) this.cells.pop().remove();
    while (this.cells.length < names.length) {
      const cell = element("div", "bg-grid-cell", { tabIndex: -1 });
      cell.setAttribute("role", "gridcell");
      cell.append(element("i", ""));
      this.cells.push(cell);
      this.shape = null;
    }
    this.cells.forEach((cell, i) => {
      cell.dataset.cell = i;
      cell.setAttribute("aria-label", [names[i], details[i], opinions[i]].filter(Boolean).join(", "));
      cell.firstChild.style.width = `${100 * (shares[i] ?? 0)}%`;
    });
    if (!this.box.contains(document.activeElement)) this.at = this.chosen.at(-1) ?? 0;
    this.at = Math.min(this.at, names.length - 1);
  }

  mark() {
    const { several } = this.data;
    this.cells.forEach((cell, i) => {
      const place = this.chosen.indexOf(i);
      cell.setAttribute("aria-selected", place >= 0);
      if (place >= 0 && this.chosen.length > 1) cell.dataset.order = place + 1;
      else delete cell.dataset.order;
      cell.tabIndex = i === this.at ? 0 : -1;
    });
    const words = several && this.chosen.length > 1 ? `${this.chosen.length} chosen` : "";
    if (this.told.textContent !== words) this.told.textContent = words;
    this.clearing.style.visibility = words ? "" : "hidden"; // its room is kept
  }

  async load(sheet) {
    if (sheet === this.wanted) return;
    this.wanted = sheet;
    const picture = new Image();
    picture.src = sheet;
    await picture.decode();
    if (sheet !== this.wanted) return; // a newer one has come meanwhile
    this.picture = picture;
    this.drawn = null;
    this.draw();
  }

  // Size

  /** Columns and enlargement that fit: as many as asked for, fewer where cells would be too small to hit. */
  fit(room) {
    const [width, height] = this.data.tile;
    const smallest = SMALLEST[matchMedia("(pointer: coarse)").matches ? "coarse" : "fine"];
    const steps = devicePixelRatio >= 2 ? 2 : 1; // half a CSS pixel is still a whole one of the screen
    const limit = Math.max(this.data.scale, Math.ceil(smallest / Math.min(width, height)));
    for (let columns = this.data.columns; ; columns = Math.ceil(columns / 2)) {
      const own = columns * (width + GAP) - GAP;
      const factor = Math.min(limit, Math.floor((steps * room) / own) / steps);
      if (factor * Math.min(width, height) >= smallest) return { columns, factor };
      if (columns === 1) return { columns, factor: factor || room / own };
    }
  }

  arrange() {
    const room = this.root.clientWidth - 8; // less the frame
    if (!this.data || room <= 0) return;
    const { columns, factor } = this.fit(room);
    const rows = Math.ceil(this.cells.length / columns);
    const [width, height] = this.data.tile;
    const shape = [columns, factor, this.cells.length, width, height].join();
    if (shape === this.shape) return;
    this.shape = shape;
    this.columns = columns;
    this.factor = factor;
    this.canvas.style.width = `${factor * (columns * (width + GAP) - GAP)}px`;
    this.canvas.style.height = `${factor * (rows * (height + GAP) - GAP)}px`;
    this.box.style.cssText = `grid-template: repeat(${rows}, 1fr) / repeat(${columns}, 1fr); gap: ${factor * GAP}px`;
    const held = this.box.contains(document.activeElement) ? document.activeElement : null;
    const lines = Array.from({ length: rows }, (_, row) => {
      const line = element("div", "bg-grid-row");
      line.setAttribute("role", "row");
      line.append(...this.cells.slice(row * columns, (row + 1) * columns));
      return line;
    });
    this.box.replaceChildren(...lines);
    held?.focus({ preventScroll: true });
    this.hush();
    this.draw();
  }

  /** The sheet has its images in the server's columns; here they lie in those that fit. */
  draw() {
    if (!this.picture || this.picture.src !== this.wanted || !this.shape || this.drawn === this.shape) return;
    this.drawn = this.shape;
    const [width, height] = this.data.tile;
    const { columns } = this;
    const own = Math.round(this.picture.width / width);
    const rows = Math.ceil(this.cells.length / columns);
    this.canvas.width = columns * (width + GAP) - GAP;
    this.canvas.height = rows * (height + GAP) - GAP;
    const context = this.canvas.getContext("2d");
    this.cells.forEach((_, i) => {
      const from = [(i % own) * width, Math.floor(i / own) * height, width, height];
      const to = [(i % columns) * (width + GAP), Math.floor(i / columns) * (height + GAP), width, height];
      context.drawImage(this.picture, ...from, ...to);
    });
    this.root.dataset.drawn = this.cells.length; // for those who wait for it
  }

  // What the person does

  listen() {
    const { box } = this;
    const cellOf = (event) => {
      const cell = event.target.closest("[data-cell]");
      return cell ? Number(cell.dataset.cell) : null;
    };
    box.onclick = (event) => {
      const i = cellOf(event);
      if (this.held) this.held = false; // the click that ends a long press
      else if (i !== null) this.choose(i, event.shiftKey || event.ctrlKey || event.metaKey || this.isAdding);
    };
    box.onpointermove = (event) => {
      if (event.pointerType === "touch") return this.pressed && this.slip(event);
      const i = cellOf(event);
      if (i === null) this.hush();
      else if (this.tip.hidden || this.told_of !== i) this.tell(i);
    };
    box.onpointerleave = () => this.hush();
    box.onpointerdown = (event) => {
      this.held = false;
      if (event.pointerType === "touch" && this.data.several && cellOf(event) !== null) this.press(event, cellOf(event));
    };
    box.onpointerup = box.onpointercancel = () => this.release();
    box.oncontextmenu = (event) => {
      if (this.held || this.pressed) event.preventDefault();
    };
    box.addEventListener("focusin", (event) => {
      if (event.target.matches(":focus-visible")) this.tell(cellOf(event));
    });
    box.addEventListener("focusout", () => this.hush());
    box.onkeydown = (event) => this.key(event, cellOf(event));
  }

  press(event, i) {
    this.pressed = { x: event.clientX, y: event.clientY };
    this.timer = setTimeout(() => {
      this.held = true;
      this.addEach(true);
      this.choose(i, true);
      this.release();
    }, LONG_PRESS_MS);
  }

  slip(event) {
    if (Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > DRAG) this.release();
  }

  release() {
    clearTimeout(this.timer);
    this.pressed = null;
  }

  key(event, i) {
    if (i === null || event.altKey) return;
    const last = this.cells.length - 1;
    const start = i - (i % this.columns);
    const ends = event.ctrlKey ? [0, last] : [start, Math.min(start + this.columns - 1, last)];
    const places = {
      ArrowLeft: i - 1,
      ArrowRight: i + 1,
      ArrowUp: i - this.columns,
      ArrowDown: i + this.columns,
      Home: ends[0],
      End: ends[1],
    };
    if (event.key in places) this.go(places[event.key]);
    else if (event.key === "Enter" || event.key === " ") {
      this.choose(i, event.shiftKey || event.ctrlKey || event.metaKey || this.isAdding);
    } else if (event.key === "Escape") {
      this.hush();
      this.clear();
    } else return;
    event.preventDefault();
  }

  go(i) {
    if (i < 0 || i >= this.cells.length) return;
    this.at = i;
    this.mark();
    this.cells[i].focus();
  }

  choose(i, adds) {
    this.at = i;
    this.cells[i].focus({ preventScroll: true });
    const { several } = this.data;
    if (!several || !adds) this.report([i]);
    else if (this.chosen.includes(i)) this.report(this.chosen.filter((other) => other !== i));
    else this.report([...this.chosen, i]);
  }

  clear() {
    if (!this.data.several) return;
    this.addEach(false);
    this.report([]);
  }

  report(chosen) {
    const same = chosen.join() === this.chosen.join();
    this.chosen = chosen;
    this.mark();
    if (same) return;
    this.stamp = Math.max(Date.now(), this.stamp + 1);
    this.send({ cells: chosen, stamp: this.stamp });
  }

  // What is said of a cell

  tell(i) {
    const { names, details, shares, opinions } = this.data;
    if (i >= names.length) return this.hush();
    const { tip } = this;
    const [name, detail, needle, opinion] = tip.children;
    this.told_of = i;
    name.textContent = names[i];
    detail.textContent = details[i];
    opinion.textContent = opinions[i];
    needle.hidden = shares[i] === null;
    needle.firstChild.style.left = `${100 * (shares[i] ?? 0)}%`;
    tip.hidden = false;
    const root = this.root.getBoundingClientRect();
    const cell = this.cells[i].getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const left = cell.left + cell.width / 2 - width / 2 - root.left;
    const above = cell.top - height - 8;
    tip.style.left = `${Math.max(0, Math.min(left, root.width - width))}px`;
    tip.style.top = `${(above > 60 ? above : cell.bottom + 8) - root.top}px`; // 60: the app's own bar
  }

  hush() {
    this.tip.hidden = true;
  }
}
