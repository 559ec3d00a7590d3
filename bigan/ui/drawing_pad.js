// A pad to draw on, white on black. drawing_pad.py says what it is given.
//
// A drawing is a list of strokes over what the server kept of it; undoing takes the last stroke away. It is sent with
// the time at which its last stroke ended, and the strokes wait here for the pad to come back from another page.

const ANSWER_MS = 5000; // after which a drawing without an answer is no longer believed
const WIDTHS = [8, 48];
const WIDTH = 22; // a digit that fills the pad gets MNIST's two pixels
const STEP = 14; // of an arrow key; with Shift FINE
const FINE = 4;
const PEN_ERASES = 32; // the button of a pen's other end, as PointerEvent.buttons has it

const kept = new Map(); // the strokes of each pad in this tab

function draw({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".bg-pad");
  if (!root) {
    root = element("div", "bg-pad");
    parentElement.append(root);
    root.pad = new Pad(root, data.side);
  }
  root.pad.update(data, (drawing) => setTriggerValue("drawn", drawing));
}

function element(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

class Pad {
  constructor(root, side) {
    this.side = side;
    this.past = { strokes: [], undone: [], base: null, stamp: 0 };
    this.point = { x: side / 2, y: side / 2 }; // where the arrow keys are
    this.frame = element("div", "bg-pad-frame bg-frame-real");
    this.canvas = element("canvas", "", { width: side, height: side, tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "drawing pad");
    this.ring = element("div", "bg-pad-point");
    this.ring.style.display = "none";
    this.spoken = element("div", "bg-pad-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    this.frame.append(this.canvas, this.ring);
    this.context = this.canvas.getContext("2d");
    this.hint = element("div", "bg-pad-hint");
    this.hint.textContent = "Draw with a mouse, a pen or a finger; or with the arrow keys, Space puts the pen down and lifts it.";
    root.append(this.frame, ...this.controls(), this.hint, this.spoken);
    this.paint();
    this.listen();
  }

  controls() {
    const button = (textContent, title, onclick) => element("button", "", { type: "button", textContent, title, onclick });
    this.pen = button("Pen", "Draw in white", () => this.take(false));
    this.eraser = button("Eraser", "Draw in black", () => this.take(true));
    this.width = element("input", "", { type: "range", min: WIDTHS[0], max: WIDTHS[1], step: 2, value: WIDTH });
    this.width.setAttribute("aria-label", "Width of the pen");
    this.width.oninput = () => this.place();
    this.undo = button("Undo", "Take the last stroke away (Ctrl+Z)", () => this.step(-1));
    this.redo = button("Redo", "Bring it back (Ctrl+Y)", () => this.step(1));
    this.clear = button("Clear", "Begin anew; Undo brings the drawing back", () => this.wipe());
    const label = element("label", "");
    label.append("Width", this.width);
    const rows = [element("div", "bg-pad-row"), element("div", "bg-pad-row")];
    rows[0].append(this.pen, this.eraser, label);
    rows[1].append(this.undo, this.redo, this.clear);
    this.take(false);
    return rows;
  }

  take(erases) {
    this.erases = erases;
    this.pen.setAttribute("aria-pressed", !erases);
    this.eraser.setAttribute("aria-pressed", erases);
  }

  // What the server says

  update(data, send) {
    this.send = send;
    this.name = data.pad;
    this.canvas.setAttribute(
      "aria-label",
      `${data.alt}. Arrow keys move the pen, with Shift by less; Space puts it down and lifts it; Control Z undoes.`,
    );
    const { stamp } = this.past;
    const awaited = data.stamp < stamp && Date.now() - stamp < ANSWER_MS;
    if (data.stamp === stamp || awaited || this.stroke) return;
    const before = kept.get(this.name);
    if (before?.stamp === data.stamp) {
      this.past = before;
      return this.paint();
    }
    this.past = { strokes: [], undone: [], base: null, stamp: data.stamp };
    this.paint();
    if (data.picture) this.load(data.picture, this.past);
  }

  async load(picture, past) {
    const base = new Image();
    base.src = picture;
    await base.decode();
    past.base = base;
    if (past === this.past) this.paint();
  }

  /** Tell the server what the drawing is now. */
  report() {
    this.past.stamp = Math.max(Date.now(), this.past.stamp + 1);
    kept.set(this.name, this.past);
    const [, picture] = this.canvas.toDataURL("image/png").split(",");
    this.send({ picture, stamp: this.past.stamp });
  }

  // The drawing

  paint() {
    const { context, side } = this;
    const { strokes, undone, base } = this.past;
    this.blacken();
    if (base) context.drawImage(base, 0, 0, side, side);
    for (const stroke of strokes) {
      if (stroke.wipes) this.blacken();
      else this.line(stroke, 0);
    }
    this.undo.setAttribute("aria-disabled", strokes.length === 0);
    this.redo.setAttribute("aria-disabled", undone.length === 0);
  }

  blacken() {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.side, this.side);
  }

  /** A stroke from one of its points on. */
  line({ points, width, erases }, from) {
    const { context } = this;
    context.strokeStyle = erases ? "#000" : "#fff";
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...points[from]);
    for (const point of points.slice(from)) context.lineTo(...point); // one point alone is a dot
    context.stroke();
  }

  begin(point, erases = this.erases) {
    this.stroke = { points: [point], width: Number(this.width.value), erases };
    this.past.undone = [];
    this.past.strokes.push(this.stroke);
    this.line(this.stroke, 0);
  }

  extend(point) {
    this.stroke.points.push(point);
    this.line(this.stroke, this.stroke.points.length - 2);
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.paint();
    this.report();
  }

  /** One stroke back (-1) or forth (1). */
  step(way) {
    this.end();
    const { strokes, undone } = this.past;
    const [from, to] = way < 0 ? [strokes, undone] : [undone, strokes];
    if (from.length === 0) return;
    to.push(from.pop());
    this.paint();
    this.report();
    this.say(way < 0 ? "Undone" : "Brought back");
  }

  wipe() {
    this.end();
    this.past.strokes.push({ wipes: true });
    this.past.undone = [];
    this.paint();
    this.report();
    this.say("The pad is empty");
  }

  // What the person does

  listen() {
    const { canvas } = this;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const inside = (value, length) => (this.side * value) / length;
      return [inside(event.clientX - box.left, box.width), inside(event.clientY - box.top, box.height)];
    };
    canvas.onpointerdown = (event) => {
      const turned = (event.buttons & PEN_ERASES) > 0;
      if ((event.button !== 0 && !turned) || this.stroke) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.begin(at(event), turned || this.erases);
    };
    canvas.onpointermove = (event) => {
      if (!this.stroke || event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) this.extend(at(one));
    };
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId !== this.pointer) return;
      this.pointer = null;
      this.end();
    };
    canvas.onkeydown = (event) => this.key(event);
    canvas.onfocus = () => this.place();
    canvas.onblur = () => {
      this.lift();
      this.place();
    };
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const commanded = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (commanded && letter === "z") this.step(event.shiftKey ? 1 : -1);
    else if (commanded && letter === "y") this.step(1);
    else if (commanded || event.altKey) return;
    else if (event.key in ways) this.walk(...ways[event.key], event.shiftKey ? FINE : STEP);
    else if (event.key === " ") this.isDown ? this.lift() : this.lower();
    else if (event.key === "Escape" && this.isDown) this.lift();
    else return;
    event.preventDefault();
    this.place();
  }

  walk(dx, dy, length) {
    const inside = (value) => Math.max(0, Math.min(this.side, value));
    this.point = { x: inside(this.point.x + dx * length), y: inside(this.point.y + dy * length) };
    if (this.isDown) this.extend([this.point.x, this.point.y]);
  }

  lower() {
    if (this.stroke) return;
    this.isDown = true;
    this.begin([this.point.x, this.point.y]);
    const percent = (value) => Math.round((100 * value) / this.side);
    this.say(`Pen down, ${percent(this.point.x)} percent across, ${percent(this.point.y)} percent down`);
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.end();
    this.say("Pen up");
  }

  /** The ring that shows where the arrow keys are. */
  place() {
    const percent = (value) => `${(100 * value) / this.side}%`;
    this.ring.style.display = this.canvas.matches(":focus-visible") ? "" : "none";
    this.ring.style.left = percent(this.point.x);
    this.ring.style.top = percent(this.point.y);
    this.ring.style.width = this.ring.style.height = percent(Number(this.width.value));
    this.ring.toggleAttribute("data-down", Boolean(this.isDown));
  }

  say(words) {
    this.spoken.textContent = words;
  }
}
