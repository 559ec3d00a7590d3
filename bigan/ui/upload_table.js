// A person's pictures as a table whose rows open. upload_table.py says what it is given.

function draw({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".bg-uploads");
  if (!root) {
    root = document.createElement("div");
    root.className = "bg-uploads";
    parentElement.append(root);
  }
  const focused = [...root.querySelectorAll("button")].indexOf(document.activeElement);
  const table = part("table", "", part("caption", data.caption));
  table.append(part("thead", "", part("tr", "", ...data.columns.map((name) => part("th", name, "col")))));
  const body = part("tbody", "");
  data.rows.forEach((row, at) => body.append(line(row, at)));
  table.append(body);
  root.replaceChildren(table);
  if (focused >= 0) root.querySelectorAll("button")[focused]?.focus();

  function line({ name, numbers }, at) {
    const button = part("button", name);
    button.type = "button";
    const open = () => {
      for (const other of body.children) other.removeAttribute("aria-current");
      row.setAttribute("aria-current", "true");
      setTriggerValue("opened", at);
    };
    const row = part("tr", "", part("th", "", "row", button));
    row.append(part("td", "", tile(at, 0, "real", `x, ${name}`)));
    row.append(part("td", "", tile(at, 1, "generated", `G(E(x)) of ${name}`)));
    row.append(...numbers.map((number) => part("td", number)));
    row.onclick = open; // of the button too
    if (at === data.chosen) row.setAttribute("aria-current", "true");
    return row;
  }

  // One image of the sheet, which has x and G(E(x)) of a picture in each row
  function tile(row, column, kind, label) {
    const [width, height] = data.tile.map((side) => side * data.scale);
    const image = part("span", "");
    image.className = `bg-uploads-tile bg-frame-${kind}`;
    image.role = "img";
    image.ariaLabel = label;
    Object.assign(image.style, {
      width: `${width}px`,
      height: `${height}px`,
      backgroundImage: `url(${data.sheet})`,
      backgroundSize: `${2 * width}px ${data.rows.length * height}px`,
      backgroundPosition: `${-column * width}px ${-row * height}px`,
      imageRendering: data.smooth ? "auto" : "pixelated",
    });
    return image;
  }
}

// An element with its text, or with the scope of a header, and what is in it
function part(tag, text, ...inside) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (tag === "th") made.scope = inside.shift();
  made.append(...inside);
  return made;
}
