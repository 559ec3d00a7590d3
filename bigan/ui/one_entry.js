// What one press changes on a page is one entry of the history, however many values of the address it changes.
//
// Streamlit sends the address anew for each value, and makes an entry each time: the back button would undo a press by
// parts. app.py mounts this once for all pages.

const PRESSES = ["pointerdown", "keydown", "click", "drop", "popstate"];

function draw() {
  if (globalThis.biganOneEntry) return;
  globalThis.biganOneEntry = true;
  const push = history.pushState.bind(history);
  let isMade = false; // an entry since the last press
  history.pushState = (state, unused, address) => {
    const isHere = new URL(address ?? "", location.href).pathname === location.pathname;
    if (isMade && isHere) history.replaceState(state, unused, address);
    else push(state, unused, address);
    isMade = true;
  };
  for (const press of PRESSES) addEventListener(press, () => (isMade = false), { capture: true });
}
