// A film under a slider, or a sheet under a pointer. scrubber.py says what it is given.
//
// Frames are drawn from one picture that is here already. Where one comes to rest is sent with the time; what the
// server says is believed again when it answers with that time.

const RATE = 10; // frames a second at speed 1
const SPEEDS = [0.25, 0.5, 1, 2, 4];
const ROUNDS = { swing: "There and back", loop: "From the start again", once: "Once" };
const ANSWER_MS = 5000; // after which a rest without an answer is no longer believed
const QUIET_MS = 400; // without a key before the place is sent and said aloud
const BESIDE_PX = 620; // from which width on the large frame stands beside the sheet
const SMALLEST_PX = 84; // of a film beside others
const GAP_PX = 14;
const BORDER_PX = 8;

function draw({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".bg-scrubber");
  if (!root) {
    root = element("div", "bg-scrubber");
    parentElement.append(root);
    root.scrubber = data.corners ? new Pad(root) : new Film(root);
  }
  root.scrubber.update(data, (rest) => setTriggerValue("at", rest));
}

function element(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

/** What a film and a sheet have in common: the picture of all frames, the place in it, and what is said of it. */
class Scrubber {
  constructor(root) {
    this.root = root;
    this.at = 0;
    this.stamp = 0; // when one last came to rest
    this.stage = element("div", "bg-scrubber-stage");
    this.told = element("p", "bg-scrubber-told");
    this.told.setAttribute("aria-hidden", "true"); // the slider's value, or what is spoken, says the same
    this.spoken = element("div", "bg-scrubber-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    new ResizeObserver(() => this.arrange()).observe(root);
  }

  update(data, send) {
    const awaited = data.stamp < this.stamp && Date.now() - this.stamp < ANSWER_MS;
    const isNew = data.sheet !== this.data?.sheet;
    this.data = data;
    this.send = send;
    this.last = data.words.length - 1;
    this.place();
    this.load();
    if (!awaited && !this.isBusy()) this.rested = this.at = data.at;
    this.show(Math.min(this.at, this.last));
    if (isNew && !awaited) this.begin();
  }

  begin() {}

  /** One canvas per film. */
  place() {
    const { films, smooth } = this.data;
    while (this.stage.children.length > films.length) this.stage.lastChild.remove();
    while (this.stage.children.length < films.length) {
      const figure = element("figure", "bg-scrubber-film");
      const frame = element("div", "bg-scrubber-frame bg-frame-generated");
      frame.append(element("canvas", ""));
      figure.append(frame, element("figcaption", ""));
      this.stage.append(figure);
    }
    [...this.stage.children].forEach((figure, i) => (figure.lastChild.textContent = films[i]));
    this.root.classList.toggle("bg-scrubber-crisp", !smooth);
    this.root.classList.toggle("bg-scrubber-named", films.some(Boolean));
  }

  async load() {
    const { data } = this;
    if (data.sheet === this.wanted) return this.arrange();
    this.wanted = data.sheet;
    const picture = new Image();
    picture.src = data.sheet;
    await picture.decode();
    if (data.sheet !== this.wanted) return; // a newer one has come meanwhile
    this.picture = picture;
    this.root.dataset.frames = data.words.length; // for those who wait for it
    this.arrange();
    this.paint();
  }

  canvases() {
    return [...this.stage.querySelectorAll("canvas")];
  }

  /** Show a frame; nothing is asked of anyone. */
  show(at) {
    this.at = at;
    this.told.textContent = this.data.words[at];
    this.root.dataset.at = at;
    this.paint();
  }

  paint() {
    if (!this.picture || this.picture.src !== this.wanted) return; // the old frames stay until the new ones are here
    const [width, height] = this.data.tile;
    const columns = this.picture.width / width;
    this.canvases().forEach((canvas, i) => {
      const cell = i * columns + this.at;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const from = [(cell % columns) * width, Math.floor(cell / columns) * height, width, height];
      canvas.getContext("2d").drawImage(this.picture, ...from, 0, 0, width, height);
    });
  }

  /** The largest whole factor that fits, or half of one where a pixel of the page is two of the screen. */
  factor(own, room, most) {
    const steps = devicePixelRatio >= 2 ? 2 : 1;
    return Math.min(most, Math.floor((steps * room) / own) / steps) || room / own;
  }

  enlarge(factor) {
    const [width, height] = this.data.tile;
    for (const canvas of this.canvases()) {
      canvas.style.width = `${factor * width}px`;
      canvas.style.height = `${factor * height}px`;
      canvas.closest("figure").style.width = `${factor * width + BORDER_PX}px`;
    }
  }

  rest() {
    clearTimeout(this.quiet);
    this.quiet = null;
    if (this.at === this.rested) return;
    this.rested = this.at;
    this.stamp = Math.max(Date.now(), this.stamp + 1);
    this.send({ at: this.at, stamp: this.stamp });
  }

  say() {
    this.spoken.textContent = this.data.words[this.at];
  }
}

class Film extends Scrubber {
  constructor(root) {
    super(root);
    this.slider = element("input", "", { type: "range", min: 0, step: 1 });
    this.button = element("button", "", { type: "button" });
    this.speed = select("Speed", SPEEDS.map((speed) => [speed, `${speed} ×`]), 1);
    this.round = select("Repeat", Object.entries(ROUNDS), "swing");
    const bar = element("div", "bg-scrubber-bar");
    bar.append(this.button, this.slider, this.speed, this.round);
    root.append(this.stage, bar, this.told, this.spoken);
    this.slider.oninput = () => {
      this.held = true;
      this.halt();
      this.show(Number(this.slider.value));
    };
    this.slider.onchange = () => {
      this.held = false;
      this.rest();
    };
    this.slider.onkeydown = (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.toggle();
    };
    this.button.onclick = () => this.toggle();
    this.speed.onchange = this.round.onchange = () => this.playing && this.play();
    this.halt();
  }

  isBusy() {
    return this.held || Boolean(this.playing);
  }

  show(at) {
    super.show(at);
    this.slider.max = this.last;
    this.slider.value = at;
    this.slider.setAttribute("aria-label", this.data.alt);
    this.slider.setAttribute("aria-valuetext", this.data.words[at]);
    this.data.beside.forEach((key) => this.mark(key, at));
  }

  /** A grid of the same frames, or a chart over them, goes along; frames count from 1 there. */
  mark(key, at) {
    const box = document.querySelector(`.st-key-${CSS.escape(key)}`);
    box?.querySelectorAll("[data-cell]").forEach((cell) => {
      cell.setAttribute("aria-selected", Number(cell.dataset.cell) === at);
    });
    const chart = box?.querySelector(".js-plotly-plot")?._fullLayout;
    const line = box?.querySelector('.shapelayer path[data-index="0"]');
    if (!chart || !line) return;
    const moved = chart.xaxis.l2p(at + 1) - chart.xaxis.l2p(chart.shapes[0].x0);
    line.style.transform = `translateX(${moved}px)`;
  }

  /** New films show themselves once, unless one asked for less motion. */
  begin() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!this.data.plays || still || document.hidden || this.playing?.frames === Infinity) return;
    this.show(this.data.at);
    this.play(2 * this.last);
  }

  toggle() {
    if (!this.playing) return this.play();
    this.halt();
    this.rest();
    this.say();
  }

  /** From here on, as the speed and the repeat say; or there and back for so many frames. */
  play(frames = Infinity) {
    const round = frames < Infinity ? "swing" : this.round.value;
    if (round === "once" && this.at === this.last) this.show(0);
    this.playing = { round, from: this.at, since: performance.now(), frames };
    this.button.textContent = "Stop";
    requestAnimationFrame((now) => this.tick(this.playing, now));
  }

  tick(run, now) {
    if (!run || run !== this.playing) return;
    if (!this.root.isConnected) return this.halt();
    const passed = Math.max(0, Math.floor(((now - run.since) / 1000) * RATE * Number(this.speed.value)));
    const place = run.from + Math.min(passed, run.frames);
    const { last } = this;
    const there = place % (2 * last || 1);
    const at = { swing: last - Math.abs(last - there), loop: place % (last + 1), once: Math.min(place, last) }[run.round];
    if (at !== this.at) this.show(at);
    const isOver = passed >= run.frames || (run.round === "once" && place >= last);
    if (!isOver) return requestAnimationFrame((later) => this.tick(run, later));
    this.halt();
    if (run.frames === Infinity) this.rest();
  }

  halt() {
    this.playing = null;
    this.button.textContent = "Play";
  }

  arrange() {
    const room = this.root.clientWidth;
    if (!this.data || room <= 0) return;
    const { films, tile, scale } = this.data;
    for (let beside = films.length; beside > 0; beside = Math.ceil(beside / 2)) {
      const own = (room - (beside - 1) * GAP_PX) / beside - BORDER_PX;
      const factor = this.factor(tile[0], own, scale);
      if (factor * tile[0] < SMALLEST_PX && beside > 1) continue;
      return this.enlarge(factor);
    }
  }
}

class Pad extends Scrubber {
  constructor(root) {
    super(root);
    root.classList.add("bg-scrubber-pad");
    this.above = element("div", "bg-scrubber-corners");
    this.below = element("div", "bg-scrubber-corners");
    this.sheet = element("div", "bg-scrubber-sheet bg-frame-generated", { tabIndex: 0 });
    this.sheet.setAttribute("role", "application"); // the arrow keys are meant for it
    this.sheet.setAttribute("aria-roledescription", "sheet");
    this.whole = element("canvas", "");
    this.chosen = element("i", "bg-scrubber-chosen");
    this.pointer = element("i", "bg-scrubber-pointer");
    const area = element("div", "bg-scrubber-area");
    area.append(this.whole, this.chosen, this.pointer);
    this.sheet.append(area);
    const left = element("div", "");
    left.append(this.above, this.sheet, this.below);
    const right = element("div", "bg-scrubber-large");
    right.append(this.stage, this.told);
    root.append(left, right, this.spoken);
    this.listen();
  }

  isBusy() {
    return Boolean(this.held || this.quiet);
  }

  place() {
    super.place();
    const { corners, alt } = this.data;
    [this.above, this.below].forEach((line, i) => {
      line.replaceChildren(...corners[i].map((name) => element("span", "", { textContent: name })));
    });
    this.sheet.setAttribute("aria-label", `${alt}. Arrow keys move, Enter chooses.`);
  }

  size() {
    return Math.round(Math.sqrt(this.data.words.length));
  }

  show(at) {
    super.show(at);
    this.mark(this.pointer, at);
    this.mark(this.chosen, this.rested ?? at);
  }

  mark(frame, at) {
    const size = this.size();
    const share = (part) => `${(100 * part) / size}%`;
    Object.assign(frame.style, { left: share(at % size), top: share(Math.floor(at / size)) });
    Object.assign(frame.style, { width: share(1), height: share(1) });
  }

  paint() {
    super.paint();
    if (!this.picture || this.picture.src !== this.wanted || this.painted === this.wanted) return;
    this.painted = this.wanted;
    Object.assign(this.whole, { width: this.picture.width, height: this.picture.height });
    this.whole.getContext("2d").drawImage(this.picture, 0, 0);
  }

  arrange() {
    const room = this.root.clientWidth;
    if (!this.data || room <= 0) return;
    const { tile, scale, sheetScale } = this.data;
    const own = tile.map((side) => side * this.size());
    const isBeside = room >= BESIDE_PX;
    const factor = this.factor(own[0], (isBeside ? 0.7 * room : room) - BORDER_PX, sheetScale);
    this.whole.style.width = `${factor * own[0]}px`;
    this.whole.style.height = `${factor * own[1]}px`;
    this.whole.style.imageRendering = factor < 1 ? "auto" : "";
    this.sheet.parentElement.style.width = `${factor * own[0] + BORDER_PX}px`;
    const left = isBeside ? room - factor * own[0] - 2 * GAP_PX - BORDER_PX : room;
    this.enlarge(this.factor(tile[0], left - BORDER_PX, scale));
  }

  listen() {
    const { sheet } = this;
    const under = (event) => {
      const box = this.whole.getBoundingClientRect();
      const size = this.size();
      const part = (place, side) => Math.max(0, Math.min(size - 1, Math.floor((size * place) / side)));
      return part(event.clientX - box.left, box.width) + size * part(event.clientY - box.top, box.height);
    };
    sheet.onpointermove = (event) => {
      if (event.pointerType === "mouse" || this.held) this.show(under(event));
    };
    sheet.onpointerleave = () => {
      if (!this.held && this.at !== this.rested && !this.quiet) this.show(this.rested);
    };
    sheet.onpointerdown = (event) => {
      if (event.button) return;
      this.held = true;
      sheet.setPointerCapture(event.pointerId);
      this.show(under(event));
    };
    sheet.onpointerup = (event) => {
      if (!this.held) return;
      this.held = false;
      this.choose(under(event));
    };
    sheet.onpointercancel = () => {
      this.held = false;
      this.show(this.rested);
    };
    sheet.onkeydown = (event) => this.key(event);
    sheet.onblur = () => this.quiet && this.choose(this.at);
  }

  key(event) {
    if (event.altKey) return;
    const size = this.size();
    const row = Math.floor(this.at / size);
    const column = this.at % size;
    const most = size - 1;
    const places = {
      ArrowLeft: [row, Math.max(0, column - 1)],
      ArrowRight: [row, Math.min(most, column + 1)],
      ArrowUp: [Math.max(0, row - 1), column],
      ArrowDown: [Math.min(most, row + 1), column],
      Home: event.ctrlKey ? [0, 0] : [row, 0],
      End: event.ctrlKey ? [most, most] : [row, most],
      PageUp: [0, column],
      PageDown: [most, column],
    };
    if (event.key in places) {
      const [toRow, toColumn] = places[event.key];
      this.show(toRow * size + toColumn);
      clearTimeout(this.quiet);
      this.quiet = setTimeout(() => this.choose(this.at), QUIET_MS);
    } else if (event.key === "Enter" || event.key === " ") this.choose(this.at);
    else return;
    event.preventDefault();
  }

  choose(at) {
    this.show(at);
    this.say();
    this.rest();
    this.mark(this.chosen, at);
  }
}

function select(name, options, chosen) {
  const box = element("select", "");
  box.setAttribute("aria-label", name);
  box.title = name;
  box.append(...options.map(([value, text]) => element("option", "", { value, textContent: text })));
  box.value = chosen;
  return box;
}
