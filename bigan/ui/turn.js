// Takes the reader to the top of a new screen, as turning a page does; bigan/ui/lessons/frame.py mounts it last.

function draw({ data, parentElement }) {
  const before = parentElement.turnedTo;
  parentElement.turnedTo = data.screen;
  if (before === undefined || before === data.screen) return;
  const heading = document.querySelector("[data-testid='stMain'] h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.style.outline = "none";
  heading.style.scrollMarginTop = "7.5rem"; // leaves the list of lessons in sight
  heading.scrollIntoView({ block: "start" });
  heading.focus({ preventScroll: true });
}
