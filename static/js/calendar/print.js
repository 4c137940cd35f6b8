// What goes to paper, by the button or by Ctrl-P, are the sheets of the whole view: the board itself holds only the rows
// that have come near, and its head stands on the first page alone. A plan that lies over the board prints as it is seen.
let sheets;

function bring() {
  const link = document.querySelector("[data-print]");
  if (!link || document.querySelector(".cal-ghost")) return;
  // The browser prints as soon as this returns, so it cannot be asked for in the background.
  const request = new XMLHttpRequest();
  request.open("GET", link.href, false);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("HX-Target", "div#print-sheets");
  try {
    request.send();
  } catch {
    return; // no connection: the rows that are missing say so on paper
  }
  if (request.status !== 200) return;
  sheets = document.createElement("div");
  sheets.className = "sheets";
  sheets.innerHTML = request.responseText;
  document.body.append(sheets);
}

export function startPrint() {
  addEventListener("beforeprint", bring);
  addEventListener("afterprint", () => sheets?.remove());
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-print]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    print();
  });
}
