// Words as they come, drawn as the Markdown that they are becoming: text in elements, no link, no HTML. What the server
// makes of the whole message takes their place.
const said = new WeakMap();
const drawn = new WeakMap();
const KINDS = [
  ["h4", /^#{1,6}\s+(.*)$/],
  ["hr", /^\s*(?:-{3,}|\*{3,})\s*$/],
  ["ul", /^\s*[-*+]\s+(.*)$/],
  ["ol", /^\s*\d+[.)]\s+(.*)$/],
  ["table", /^\s*\|(.*)$/],
  ["blockquote", /^>\s?(.*)$/],
  ["p", /^(.*\S.*)$/],
];
const MARKS = /(\*\*|`|\*(?=\S)|(?<=\S)\*|\[[^\]]*\]\([^)]*\)?)/;

/** Adds to what is said in the place. What was drawn before and stays the same is left as it stands. */
export function addWords(place, text) {
  const whole = (said.get(place) ?? "") + text;
  said.set(place, whole);
  const blocks = blocksOf(whole);
  for (const [number, block] of blocks.entries()) {
    const source = block.kind + block.lines.join("\n");
    const old = place.children[number];
    if (old && drawn.get(old) === source) continue;
    const fresh = elementOf(block);
    drawn.set(fresh, source);
    if (old) old.replaceWith(fresh);
    else place.append(fresh);
  }
  while (place.children.length > blocks.length) place.lastElementChild.remove();
}

function blocksOf(text) {
  const blocks = [];
  let open;
  const begin = (kind) => blocks.push((open = { kind, lines: [] }));
  for (const line of text.split("\n")) {
    const isFence = /^\s*(?:```|~~~)/.test(line);
    if (open?.kind === "pre") {
      if (isFence) open = undefined;
      else open.lines.push(line);
    } else if (isFence) begin("pre");
    else {
      const [kind, pattern] = KINDS.find((each) => each[1].test(line)) ?? [];
      if (!kind) {
        // A list goes on after an empty line.
        if (open?.kind !== "ul" && open?.kind !== "ol") open = undefined;
        continue;
      }
      if (open?.kind !== kind || kind === "h4") begin(kind);
      open.lines.push(pattern.exec(line)[1] ?? "");
    }
  }
  return blocks;
}

function elementOf({ kind, lines }) {
  const element = document.createElement(kind);
  if (kind === "pre") element.append(lines.join("\n"));
  else if (kind === "ul" || kind === "ol") for (const line of lines) element.append(withWords("li", line));
  else if (kind === "table") element.append(...rowsOf(lines));
  else {
    for (const [number, line] of lines.entries()) {
      if (number) element.append(document.createElement("br"));
      addMarked(element, line);
    }
  }
  return element;
}

function rowsOf(lines) {
  const [head, body] = [document.createElement("thead"), document.createElement("tbody")];
  for (const [number, line] of lines.filter((each) => !/^[\s|:-]*$/.test(each)).entries()) {
    const row = document.createElement("tr");
    for (const cell of line.replace(/\|\s*$/, "").split("|")) row.append(withWords(number ? "td" : "th", cell.trim()));
    (number ? body : head).append(row);
  }
  return [head, body];
}

function withWords(name, text) {
  const element = document.createElement(name);
  addMarked(element, text);
  return element;
}

/** Bold, italic and code; of a link its words. A mark that has no end yet holds to the end. */
function addMarked(place, text) {
  const on = { strong: false, em: false, code: false };
  for (const part of text.split(MARKS)) {
    if (part === "`") on.code = !on.code;
    else if (part === "**" && !on.code) on.strong = !on.strong;
    else if (part === "*" && !on.code) on.em = !on.em;
    else if (part) {
      let inner = (on.code ? part : part.replace(/^\[([^\]]*)\]\(.*$/, "$1")).replace(/\\([\\`*_[\]<>|#-])/g, "$1");
      for (const name of ["code", "em", "strong"]) {
        if (!on[name]) continue;
        const around = document.createElement(name);
        around.append(inner);
        inner = around;
      }
      place.append(inner);
    }
  }
}
