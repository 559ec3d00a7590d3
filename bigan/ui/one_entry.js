// What one press changes on a page is one entry of the history, however many values of the address it changes.
//
// Streamlit sends the address anew for each value, and makes an entry each time: the back button would undo a press by
// parts. A link to another page first takes the values out of the address of the page that one leaves, which would be
// an entry too, of a page that was never seen. app.py mounts this once for all pages.

const PRESSES = ["pointerdown", "keydown", "click", "drop", "popstate"];

function draw() {
  if (globalThis.biganOneEntry) return;
  globalThis.biganOneEntry = true;
  const push = history.pushState.bind(history);
  let isMade = true; // an entry since the last press; before the first one, the page only settles
  let isLeaving = false; // which was one of a link to another page
  history.pushState = (state, unused, address) => {
    const isHere = new URL(address ?? "", location.href).pathname === location.pathname;
    if (isHere && isLeaving) return;
    if (isMade && isHere) history.replaceState(state, unused, address);
    else push(state, unused, address);
    isMade = true;
    isLeaving = false;
  };
  const press = ({ type, target }) => {
    if (target.closest?.("[data-testid=stSidebarCollapseButton]")) return; // changes nothing; sidebar.js presses it too
    const link = target.closest?.("a[href]");
    const isAway = Boolean(link) && new URL(link.href).pathname !== location.pathname;
    if (isAway && type !== "click") return; // the page may still settle until the click that leaves it
    isMade = false;
    isLeaving = isAway;
  };
  for (const kind of PRESSES) addEventListener(kind, press, { capture: true });
}
