// On a telephone the sidebar covers the page: once a link in it is followed, it is put away. app.py mounts this once.

const NARROW_PX = 768; // up to it, Streamlit lays the sidebar over the page

function draw() {
  if (globalThis.biganSidebar) return;
  globalThis.biganSidebar = true;
  const follow = ({ target, ctrlKey, metaKey }) => {
    if (ctrlKey || metaKey || innerWidth > NARROW_PX || !target.closest?.("[data-testid=stSidebar] a[href]")) return;
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  };
  addEventListener("click", follow);
}
