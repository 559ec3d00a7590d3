// Pictures pasted anywhere on the page go into the file uploader, as if they had been dropped there.

function draw({ data, parentElement }) {
  document.removeEventListener("paste", parentElement.paste);
  parentElement.paste = (event) => {
    const pictures = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    const input = document.querySelector(`.st-key-${CSS.escape(data.uploader)} input[type=file]`);
    if (!pictures.length || !input) return;
    event.preventDefault();
    const carried = new DataTransfer();
    for (const picture of pictures) carried.items.add(picture);
    input.files = carried.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", parentElement.paste);
  return () => document.removeEventListener("paste", parentElement.paste);
}
