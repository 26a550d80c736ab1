import React, { useState } from "react";

/** Forms that write conditions, so that nobody must know the syntax. */
export default function Controls({ words, busy, add }) {
  const [open, setOpen] = useState("");
  const toggle = (name) => setOpen(open === name ? "" : name);
  const done = (event, params) => add(event, params).then((ok) => ok && setOpen(""));
  return (
    <div className="evq-controls">
      <div className="evq-row">
        <span>Add</span>
        <button type="button" aria-expanded={open === "field"} onClick={() => toggle("field")}>
          Field condition
        </button>
        <button type="button" aria-expanded={open === "text"} onClick={() => toggle("text")}>
          What it shows
        </button>
        <button type="button" disabled={busy} onClick={() => add("add_images", {})}>
          More like the selected
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => add("add_images", { less: true })}
        >
          Less like the selected
        </button>
      </div>
      {open === "field" && words && <FieldForm fields={words.fields} done={done} />}
      {open === "text" && <TextForm done={done} />}
    </div>
  );
}

function FieldForm({ fields, done }) {
  const [path, setPath] = useState(fields[0]?.path ?? "");
  const [asked, setAsked] = useState("");
  const [value, setValue] = useState("");
  const field = fields.find((one) => one.path === path);
  if (!field) return <div>The dataset has no fields</div>;
  const operator = field.operators.includes(asked) ? asked : field.operators[0];
  const needsValue = !operator.startsWith("is ");
  const values = field.kind === "boolean" ? ["true", "false"] : field.values;
  return (
    <Form send={() => done("add_field", { field: path, operator, value })}>
      <Choice label="Field" value={path} set={setPath} options={fields.map((f) => f.path)} />
      <Choice label="Operator" value={operator} set={setAsked} options={field.operators} />
      {needsValue && (
        <>
          <input
            aria-label="Value"
            placeholder="value"
            list="evq-values"
            value={value}
            onChange={({ target }) => setValue(target.value)}
          />
          <datalist id="evq-values">
            {values.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </>
      )}
    </Form>
  );
}

function TextForm({ done }) {
  const [text, setText] = useState("");
  const [kind, setKind] = useState("shows");
  return (
    <Form send={() => text.trim() && done("add_text", { text, less: kind !== "shows" })}>
      <Choice label="Kind" value={kind} set={setKind} options={["shows", "does not show"]} />
      <input
        aria-label="What the images show"
        placeholder="a windy road"
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
    </Form>
  );
}

function Form({ send, children }) {
  const submit = (event) => {
    event.preventDefault();
    event.stopPropagation();
    send();
  };
  return (
    <form className="evq-row" onSubmit={submit}>
      {children}
      <button type="submit">Add to query</button>
    </form>
  );
}

function Choice({ label, value, set, options }) {
  return (
    <select aria-label={label} value={value} onChange={({ target }) => set(target.value)}>
      {options.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}
