const MOST = 8;
const LIST = /("[^"]+"|[\w.]+)\s*(?:=|<>|CONTAINS|I?LIKE|(?:NOT\s+)?IN\s*\((?:\s*'[^']*'\s*,)*)\s*$/i;

/** What may stand at the caret: label, text to insert, and from where. */
export function complete(text, caret, words) {
  const before = text.slice(0, caret);
  const quote = openQuote(before);
  if (quote >= 0) return values(before, quote, text[caret] === "'", words);
  const typed = before.match(/[\w.]+$/)?.[0] ?? "";
  if (!typed || /^\d/.test(typed)) return [];
  const from = caret - typed.length;
  const options = [
    ...words.fields.map(({ name, kind }) => ({ label: name, hint: kind })),
    ...words.functions.map((label) => ({ label, hint: "function" })),
    ...words.keywords.map((label) => ({ label, hint: "" })),
  ];
  return best(options, typed)
    .filter(({ label }) => label !== typed)
    .map((option) => ({ ...option, insert: option.label, from }));
}

function values(before, quote, closed, words) {
  const lead = before.slice(0, quote);
  const typed = before.slice(quote + 1);
  const options = known(lead, words).map((label) => ({ label, hint: "" }));
  return best(options, typed).map((option) => ({
    ...option,
    insert: option.label.replace(/'/g, "''") + (closed ? "" : "'"),
    from: quote + 1,
  }));
}

function known(lead, words) {
  if (/population\(\s*$/i.test(lead)) return words.populations;
  if (/prediction\(\s*$/i.test(lead)) return words.models;
  const path = lead.match(LIST)?.[1];
  return words.fields.find(({ name }) => name === path)?.values ?? [];
}

/** Those that begin with what was typed, then those that hold it. */
function best(options, typed) {
  const wanted = typed.toLowerCase();
  const place = ({ label }) => label.toLowerCase().indexOf(wanted);
  const found = options.filter((option) => place(option) >= 0);
  const first = (option) => (place(option) === 0 ? 0 : 1);
  return found.sort((a, b) => first(a) - first(b)).slice(0, MOST);
}

/** Where the text begins in which the caret stands, or -1. */
function openQuote(before) {
  let open = -1;
  for (let at = 0; at < before.length; at++)
    if (before[at] === "'") open = open < 0 ? at : -1;
  return open;
}
