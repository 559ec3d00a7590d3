// Pictures pasted anywhere on the page go into the file uploader, as if they had been dropped there.

function draw({ data, parentElement }) {
  const isNew = parentElement.dataset.pastesInto === undefined;
  parentElement.dataset.pastesInto = data.uploader;
  if (isNew) listen(parentElement);
}

/** Listens for as long as the element is on the page, through all its reruns. */
function listen(element) {
  const paste = (event) => {
    if (!element.isConnected) return document.removeEventListener("paste", paste);
    const pictures = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    const input = document.querySelector(`.st-key-${CSS.escape(element.dataset.pastesInto)} input[type=file]`);
    if (!pictures.length || !input) return;
    event.preventDefault();
    const carried = new DataTransfer();
    for (const picture of pictures) carried.items.add(picture);
    input.files = carried.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", paste);
}
