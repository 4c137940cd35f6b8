// A list on paper has all rows of its search and filters, whichever page of it is shown, and says what narrows it and
// when it was printed. It is the same by the list's button, by Ctrl-P and by the browser's menu.
const printLink = () => document.querySelector("[data-print-list]");
let brought = [];

/** What is chosen in the list's filters, in the words of the page. */
function filterWords() {
  const words = [];
  for (const field of document.getElementById("list-filters")?.elements ?? []) {
    if (!field.name || !field.value) continue;
    if (field.matches('[type="radio"], [type="checkbox"]')) {
      if (field.checked) words.push(field.closest("label").textContent.trim());
    } else if (field.matches("select")) {
      words.push(field.selectedOptions[0].textContent.trim());
    } else if (field.matches('[type="search"]')) {
      words.push(`“${field.value}”`);
    } else {
      words.push(`${field.closest("label")?.textContent.trim() ?? ""} ${field.value}`.trim());
    }
  }
  return words;
}

function head() {
  const line = document.createElement("p");
  const ground = document.querySelector(".ground-name")?.textContent.trim();
  const timeZone = document.documentElement.dataset.timeZone;
  const printed = new Date().toLocaleString("en-US", { dateStyle: "medium", timeStyle: "short", timeZone });
  line.className = "list-print-head";
  line.textContent = [ground, ...filterWords(), `printed ${printed}`].filter(Boolean).join(" · ");
  return line;
}

/** All rows, or nothing where they cannot be had: what is shown then says by itself which of them it is. */
function allRows(address) {
  // The browser prints as soon as this returns, so it cannot be asked for in the background.
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("HX-Target", "section#list");
  try {
    request.send();
  } catch {
    return undefined;
  }
  if (request.status !== 200) return undefined;
  const list = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("list");
  list?.removeAttribute("id");
  list?.classList.add("list-printed");
  return list ?? undefined;
}

function bring() {
  const [link, shown] = [printLink(), document.getElementById("list")];
  if (!link || brought.length) return;
  brought = [head()];
  shown.before(brought[0]);
  const whole = shown.querySelector(".pagination") ? allRows(link.href) : undefined;
  if (!whole) return;
  brought.push(whole);
  shown.after(whole);
  shown.classList.add("no-print");
}

function takeAway() {
  for (const part of brought) part.remove();
  brought = [];
  document.getElementById("list")?.classList.remove("no-print");
}

export function startPrintList() {
  addEventListener("beforeprint", bring);
  addEventListener("afterprint", takeAway);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-print-list]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    print();
  });
}
