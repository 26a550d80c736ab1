import React from "react";

/** What is wrong with the query, and where. */
export default function Problem({ text, problem, position, length }) {
  return (
    <div className="evq-problem" role="alert">
      {position !== undefined && <pre>{pointed(text, position, length)}</pre>}
      <div>
        {problem}
        {position !== undefined && text.includes("\n") && place(text, position)}
      </div>
    </div>
  );
}

/** Where it is in a query of several lines, both counted from 1. */
function place(text, position) {
  const lines = text.slice(0, position).split("\n");
  return ` (line ${lines.length}, column ${lines.pop().length + 1})`;
}

const MOST = 60;

/** The line in question, cut where it is long, with carets below the word. */
function pointed(text, position, length) {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const line = text.slice(start).split("\n")[0];
  const at = position - start;
  const from = Math.max(0, Math.min(at - 20, line.length - MOST));
  const shown = line.slice(from, from + MOST);
  const lead = from ? "…" : "";
  const marks = "^".repeat(Math.max(1, Math.min(length, shown.length - at + from)));
  return `${lead}${shown}\n${" ".repeat(lead.length + at - from)}${marks}`;
}
