// sources 9c0193ea0633b8c3c66b5afeb2c5736e5d8acd9bdaa03ad05a5f3ccdebca822c
(() => {
  var __create = Object.create;
  var __defProp = Object.defineProperty;
  var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
  var __getOwnPropNames = Object.getOwnPropertyNames;
  var __getProtoOf = Object.getPrototypeOf;
  var __hasOwnProp = Object.prototype.hasOwnProperty;
  var __commonJS = (cb, mod) => function __require() {
    return mod || (0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
  };
  var __copyProps = (to, from, except, desc) => {
    if (from && typeof from === "object" || typeof from === "function") {
      for (let key of __getOwnPropNames(from))
        if (!__hasOwnProp.call(to, key) && key !== except)
          __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
    }
    return to;
  };
  var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
    // If the importer is in node compatibility mode or this is not an ESM
    // file that has been converted to a CommonJS file using a Babel-
    // compatible transform (i.e. "__esModule" has not been set), then set
    // "default" to the CommonJS "module.exports" for node compatibility.
    isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
    mod
  ));

  // app:@fiftyone/plugins
  var require_plugins = __commonJS({
    "app:@fiftyone/plugins"(exports, module) {
      module.exports = window.__fop__;
    }
  });

  // app:react
  var require_react = __commonJS({
    "app:react"(exports, module) {
      module.exports = window.React;
    }
  });

  // app:@fiftyone/operators
  var require_operators = __commonJS({
    "app:@fiftyone/operators"(exports, module) {
      module.exports = window.__foo__;
    }
  });

  // app:@fiftyone/spaces
  var require_spaces = __commonJS({
    "app:@fiftyone/spaces"(exports, module) {
      module.exports = window.__fosp__;
    }
  });

  // app:@fiftyone/state
  var require_state = __commonJS({
    "app:@fiftyone/state"(exports, module) {
      module.exports = window.__fos__;
    }
  });

  // src/index.jsx
  var import_plugins = __toESM(require_plugins(), 1);

  // src/Editor.jsx
  var import_react7 = __toESM(require_react(), 1);
  var import_operators2 = __toESM(require_operators(), 1);

  // src/Controls.jsx
  var import_react = __toESM(require_react(), 1);
  function Controls({ words, busy, add }) {
    const [open, setOpen] = (0, import_react.useState)("");
    const toggle = (name2) => setOpen(open === name2 ? "" : name2);
    const done = (event, params) => add(event, params).then((ok) => ok && setOpen(""));
    return /* @__PURE__ */ import_react.default.createElement("div", { className: "evq-controls" }, /* @__PURE__ */ import_react.default.createElement("div", { className: "evq-row" }, /* @__PURE__ */ import_react.default.createElement("span", null, "Add"), /* @__PURE__ */ import_react.default.createElement("button", { type: "button", "aria-expanded": open === "field", onClick: () => toggle("field") }, "Field condition"), /* @__PURE__ */ import_react.default.createElement("button", { type: "button", "aria-expanded": open === "text", onClick: () => toggle("text") }, "What it shows"), /* @__PURE__ */ import_react.default.createElement("button", { type: "button", disabled: busy, onClick: () => add("add_images", {}) }, "More like the selected"), /* @__PURE__ */ import_react.default.createElement(
      "button",
      {
        type: "button",
        disabled: busy,
        onClick: () => add("add_images", { less: true })
      },
      "Less like the selected"
    )), open === "field" && words && /* @__PURE__ */ import_react.default.createElement(FieldForm, { fields: words.fields, done }), open === "text" && /* @__PURE__ */ import_react.default.createElement(TextForm, { done }));
  }
  function FieldForm({ fields, done }) {
    const [path, setPath] = (0, import_react.useState)(fields[0]?.path ?? "");
    const [asked, setAsked] = (0, import_react.useState)("");
    const [value, setValue] = (0, import_react.useState)("");
    const field = fields.find((one) => one.path === path);
    if (!field) return /* @__PURE__ */ import_react.default.createElement("div", null, "The dataset has no fields");
    const operator = field.operators.includes(asked) ? asked : field.operators[0];
    const needsValue = !operator.startsWith("is ");
    const values2 = field.kind === "boolean" ? ["true", "false"] : field.values;
    return /* @__PURE__ */ import_react.default.createElement(Form, { send: () => done("add_field", { field: path, operator, value }) }, /* @__PURE__ */ import_react.default.createElement(Choice, { label: "Field", value: path, set: setPath, options: fields.map((f) => f.path) }), /* @__PURE__ */ import_react.default.createElement(Choice, { label: "Operator", value: operator, set: setAsked, options: field.operators }), needsValue && /* @__PURE__ */ import_react.default.createElement(import_react.default.Fragment, null, /* @__PURE__ */ import_react.default.createElement(
      "input",
      {
        "aria-label": "Value",
        placeholder: "value",
        list: "evq-values",
        value,
        onChange: ({ target }) => setValue(target.value)
      }
    ), /* @__PURE__ */ import_react.default.createElement("datalist", { id: "evq-values" }, values2.map((one) => /* @__PURE__ */ import_react.default.createElement("option", { key: one, value: one })))));
  }
  function TextForm({ done }) {
    const [text, setText] = (0, import_react.useState)("");
    const [kind, setKind] = (0, import_react.useState)("shows");
    return /* @__PURE__ */ import_react.default.createElement(Form, { send: () => text.trim() && done("add_text", { text, less: kind !== "shows" }) }, /* @__PURE__ */ import_react.default.createElement(Choice, { label: "Kind", value: kind, set: setKind, options: ["shows", "does not show"] }), /* @__PURE__ */ import_react.default.createElement(
      "input",
      {
        "aria-label": "What the images show",
        placeholder: "a windy road",
        value: text,
        onChange: ({ target }) => setText(target.value)
      }
    ));
  }
  function Form({ send, children }) {
    const submit = (event) => {
      event.preventDefault();
      event.stopPropagation();
      send();
    };
    return /* @__PURE__ */ import_react.default.createElement("form", { className: "evq-row", onSubmit: submit }, children, /* @__PURE__ */ import_react.default.createElement("button", { type: "submit" }, "Add to query"));
  }
  function Choice({ label, value, set, options }) {
    return /* @__PURE__ */ import_react.default.createElement("select", { "aria-label": label, value, onChange: ({ target }) => set(target.value) }, options.map((one) => /* @__PURE__ */ import_react.default.createElement("option", { key: one }, one)));
  }

  // src/Histogram.jsx
  var import_react3 = __toESM(require_react(), 1);

  // src/events.js
  var import_react2 = __toESM(require_react(), 1);
  var import_operators = __toESM(require_operators(), 1);
  var import_spaces = __toESM(require_spaces(), 1);
  var REMEDY = "if the App's server or MongoDB is gone, start it again and reload this page";
  function lost(answer) {
    const said = String(answer?.errorMessage ?? answer?.error ?? "no answer");
    return { problem: `That did not work (${said.trim().split("\n").pop()}); ${REMEDY}` };
  }
  function useAsk(view) {
    const send = (0, import_operators.usePanelEvent)();
    const panelId = (0, import_spaces.usePanelId)();
    const last = (0, import_react2.useRef)();
    last.current = (event, params) => new Promise((resolve) => {
      send(panelId, {
        operator: view[event],
        params,
        currentPanelState: {},
        callback: (answer) => {
          resolve(answer?.result ?? lost(answer));
          return false;
        }
      });
    });
    return (0, import_react2.useCallback)((event, params) => last.current(event, params), []);
  }
  function useLater(run, pause) {
    const timer = (0, import_react2.useRef)();
    const last = (0, import_react2.useRef)();
    last.current = run;
    (0, import_react2.useEffect)(() => () => clearTimeout(timer.current), []);
    return (0, import_react2.useCallback)(
      (...given) => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => last.current(...given), pause);
      },
      [pause]
    );
  }

  // src/Histogram.jsx
  var HEIGHT = 64;
  function Histogram({ term, cut, above, histogram, onCut }) {
    const frame = (0, import_react3.useRef)();
    const [moved, setMoved] = (0, import_react3.useState)(null);
    const settle = useLater(onCut, 300);
    (0, import_react3.useEffect)(() => setMoved(null), [cut, term]);
    const { counts, low, high } = histogram;
    const width = high - low || 1;
    const value = moved ?? cut;
    const share = Math.min(1, Math.max(0, (value - low) / width));
    const most = Math.sqrt(Math.max(...counts, 1));
    const move = (wanted, wait) => {
      const kept = Math.min(high, Math.max(low, wanted));
      const rounded = Number(kept.toFixed(width < 0.1 ? 4 : 3));
      setMoved(rounded);
      if (wait) settle(rounded);
    };
    const follow = ({ clientX }) => {
      const { left, width: pixels } = frame.current.getBoundingClientRect();
      move(low + (clientX - left) / pixels * width);
    };
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    return /* @__PURE__ */ import_react3.default.createElement("div", { className: "evq-histogram" }, /* @__PURE__ */ import_react3.default.createElement(
      "div",
      {
        ref: frame,
        className: "evq-plot",
        style: { height: HEIGHT },
        onPointerDown: (event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        },
        onPointerMove: (event) => event.buttons && follow(event),
        onPointerUp: () => moved !== null && onCut(moved)
      },
      counts.map((count, at) => {
        const middle = (at + 0.5) / counts.length;
        const kept = above ? middle > share : middle < share;
        const height = count && Math.max(2, Math.sqrt(count) / most * HEIGHT);
        const title = `${count.toLocaleString()} samples`;
        return /* @__PURE__ */ import_react3.default.createElement("i", { key: at, title, "data-kept": kept, style: { height } });
      }),
      /* @__PURE__ */ import_react3.default.createElement(
        "b",
        {
          role: "slider",
          tabIndex: 0,
          "aria-label": `Cut of ${term}`,
          "aria-valuemin": low,
          "aria-valuemax": high,
          "aria-valuenow": value,
          style: { left: `${100 * share}%` },
          onKeyDown: (event) => {
            if (!step[event.key]) return;
            event.preventDefault();
            move(value + step[event.key] * width / 100, true);
          }
        }
      )
    ), /* @__PURE__ */ import_react3.default.createElement("div", { className: "evq-axis" }, /* @__PURE__ */ import_react3.default.createElement("span", null, low.toFixed(2)), /* @__PURE__ */ import_react3.default.createElement("span", null, `cut ${value}`), /* @__PURE__ */ import_react3.default.createElement("span", null, high.toFixed(2))));
  }

  // src/Pictures.jsx
  var import_react4 = __toESM(require_react(), 1);
  var import_state = __toESM(require_state(), 1);
  function Pictures({ title, samples }) {
    if (!samples?.length) return null;
    return /* @__PURE__ */ import_react4.default.createElement("figure", { className: "evq-pictures" }, /* @__PURE__ */ import_react4.default.createElement("figcaption", null, title), /* @__PURE__ */ import_react4.default.createElement("div", null, samples.map(({ id, file }) => /* @__PURE__ */ import_react4.default.createElement("img", { key: id, src: (0, import_state.getSampleSrc)(file), alt: name(file), title: name(file) }))));
  }
  function name(file) {
    return file.split(/[\\/]/).pop();
  }

  // src/Problem.jsx
  var import_react5 = __toESM(require_react(), 1);
  function Problem({ text, problem, position, length }) {
    return /* @__PURE__ */ import_react5.default.createElement("div", { className: "evq-problem", role: "alert" }, position !== void 0 && /* @__PURE__ */ import_react5.default.createElement("pre", null, pointed(text, position, length)), /* @__PURE__ */ import_react5.default.createElement("div", null, problem, position !== void 0 && text.includes("\n") && place(text, position)));
  }
  function place(text, position) {
    const lines = text.slice(0, position).split("\n");
    return ` (line ${lines.length}, column ${lines.pop().length + 1})`;
  }
  var MOST = 60;
  function pointed(text, position, length) {
    const start = text.lastIndexOf("\n", position - 1) + 1;
    const line = text.slice(start).split("\n")[0];
    const at = position - start;
    const from = Math.max(0, Math.min(at - 20, line.length - MOST));
    const shown = line.slice(from, from + MOST);
    const lead = from ? "\u2026" : "";
    const marks = "^".repeat(Math.max(1, Math.min(length, shown.length - at + from)));
    return `${lead}${shown}
${" ".repeat(lead.length + at - from)}${marks}`;
  }

  // src/Query.jsx
  var import_react6 = __toESM(require_react(), 1);

  // src/complete.js
  var MOST2 = 8;
  var LIST = /("[^"]+"|[\w.]+)\s*(?:=|<>|CONTAINS|I?LIKE|(?:NOT\s+)?IN\s*\((?:\s*'[^']*'\s*,)*)\s*$/i;
  function complete(text, caret, words) {
    const before = text.slice(0, caret);
    const quote = openQuote(before);
    if (quote >= 0) return values(before, quote, text[caret] === "'", words);
    const typed = before.match(/[\w.]+$/)?.[0] ?? "";
    if (!typed || /^\d/.test(typed)) return [];
    const from = caret - typed.length;
    const options = [
      ...words.fields.map(({ name: name2, kind }) => ({ label: name2, hint: kind })),
      ...words.functions.map((label) => ({ label, hint: "function" })),
      ...words.keywords.map((label) => ({ label, hint: "" }))
    ];
    return best(options, typed).filter(({ label }) => label !== typed).map((option) => ({ ...option, insert: option.label, from }));
  }
  function values(before, quote, closed, words) {
    const lead = before.slice(0, quote);
    const typed = before.slice(quote + 1);
    const options = known(lead, words).map((label) => ({ label, hint: "" }));
    return best(options, typed).map((option) => ({
      ...option,
      insert: option.label.replace(/'/g, "''") + (closed ? "" : "'"),
      from: quote + 1
    }));
  }
  function known(lead, words) {
    if (/population\(\s*$/i.test(lead)) return words.populations;
    if (/prediction\(\s*$/i.test(lead)) return words.models;
    const path = lead.match(LIST)?.[1];
    return words.fields.find(({ name: name2 }) => name2 === path)?.values ?? [];
  }
  function best(options, typed) {
    const wanted = typed.toLowerCase();
    const place2 = ({ label }) => label.toLowerCase().indexOf(wanted);
    const found = options.filter((option) => place2(option) >= 0);
    const first = (option) => place2(option) === 0 ? 0 : 1;
    return found.sort((a, b) => first(a) - first(b)).slice(0, MOST2);
  }
  function openQuote(before) {
    let open = -1;
    for (let at = 0; at < before.length; at++)
      if (before[at] === "'") open = open < 0 ? at : -1;
    return open;
  }

  // src/Query.jsx
  function Query({ text, words, placeholder, wrong, onChange, onEnter, onPropose }) {
    const area = (0, import_react6.useRef)();
    const [caret, setCaret] = (0, import_react6.useState)(null);
    const [chosen, setChosen] = (0, import_react6.useState)(-1);
    const options = caret === null || !words ? [] : complete(text, caret, words);
    (0, import_react6.useEffect)(() => onPropose(options.length > 0), [options.length > 0]);
    const propose = (place2) => {
      setCaret(place2);
      setChosen(-1);
    };
    const close = () => propose(null);
    const take = ({ from, insert }) => {
      const { selectionStart } = area.current;
      const value = text.slice(0, from) + insert + text.slice(selectionStart);
      onChange(value);
      const end = from + insert.length;
      propose(end);
      requestAnimationFrame(() => {
        area.current.focus();
        area.current.setSelectionRange(end, end);
      });
    };
    const onKeyDown = (event) => {
      const { key } = event;
      const step = { ArrowDown: 1, ArrowUp: -1 }[key];
      if (step && options.length) {
        setChosen((chosen + step + options.length) % options.length);
      } else if (key === "Escape" && options.length) {
        close();
      } else if (key === "Tab" && options.length) {
        take(options[Math.max(chosen, 0)]);
      } else if (key === "Enter" && chosen >= 0 && options.length) {
        take(options[chosen]);
      } else if (key === "Enter" && !event.shiftKey) {
        close();
        onEnter();
      } else {
        return;
      }
      event.preventDefault();
    };
    return /* @__PURE__ */ import_react6.default.createElement("div", { className: "evq-query" }, /* @__PURE__ */ import_react6.default.createElement(
      "textarea",
      {
        ref: area,
        "aria-label": "Query",
        "aria-invalid": wrong,
        placeholder,
        rows: Math.min(8, Math.max(2, text.split("\n").length, text.length / 60)),
        spellCheck: false,
        value: text,
        onChange: ({ target }) => {
          onChange(target.value);
          propose(target.selectionStart);
        },
        onKeyDown,
        onBlur: close
      }
    ), options.length > 0 && /* @__PURE__ */ import_react6.default.createElement("ul", { role: "listbox", "aria-label": "Completions" }, options.map((option, at) => /* @__PURE__ */ import_react6.default.createElement(
      "li",
      {
        key: option.label,
        role: "option",
        "aria-selected": at === chosen,
        onMouseDown: (event) => {
          event.preventDefault();
          take(option);
        }
      },
      /* @__PURE__ */ import_react6.default.createElement("span", null, option.label),
      /* @__PURE__ */ import_react6.default.createElement("small", null, option.hint)
    ))));
  }

  // src/style.js
  var LINE = "1px solid var(--fo-palette-divider)";
  var QUIET = "var(--fo-palette-text-secondary)";
  var STYLE = `
.evq { display: flex; flex-direction: column; gap: 10px; min-width: 0; width: 100%;
  color: var(--fo-palette-text-primary); font-size: 0.95rem; }
.evq-row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.evq-top { align-items: flex-start; }
.evq-query { position: relative; flex: 1 1 260px; min-width: 0; }
.evq textarea, .evq input, .evq select { box-sizing: border-box; font: inherit;
  color: inherit; background: var(--fo-palette-background-level1); border: ${LINE};
  border-radius: 4px; padding: 6px 8px; min-width: 0; max-width: 100%; }
.evq textarea, .evq code, .evq pre { font-family: 'Roboto Mono', ui-monospace, Menlo,
  Consolas, monospace; font-size: 0.88rem; line-height: 1.5; }
.evq textarea { display: block; width: 100%; resize: vertical; padding: 8px 10px; }
.evq textarea[aria-invalid=true] { border-color: #e5484d; }
.evq option { color: var(--fo-palette-text-primary);
  background: var(--fo-palette-background-level1); }
.evq input { flex: 1 1 120px; }
.evq :focus-visible { outline: 2px solid var(--fo-palette-primary-plainColor);
  outline-offset: -1px; }
.evq button { font: inherit; color: inherit; cursor: pointer; background: none;
  border: ${LINE}; border-radius: 4px; padding: 6px 12px; min-height: 34px; }
.evq button:hover { background: var(--fo-palette-background-level2); }
.evq button[aria-expanded=true] { background: var(--fo-palette-background-level2); }
.evq button:disabled { opacity: 0.5; cursor: default; }
.evq button.evq-strong { color: #fff; border-color: transparent;
  background: var(--fo-palette-primary-main); }
.evq-query ul { position: absolute; z-index: 20; left: 0; top: 100%; margin: 2px 0 0;
  padding: 4px; min-width: min(260px, 100%); max-width: 100%; list-style: none;
  border: ${LINE}; border-radius: 4px; background: var(--fo-palette-background-level2);
  box-shadow: 0 6px 18px rgba(0, 0, 0, 0.35); }
.evq-query li { display: flex; gap: 16px; justify-content: space-between;
  padding: 4px 8px; border-radius: 3px; cursor: pointer; font-size: 0.88rem; }
.evq-query li span { overflow-wrap: anywhere; }
.evq-query li[aria-selected=true], .evq-query li:hover {
  background: var(--fo-palette-background-level3); }
.evq-query small, .evq-quiet, .evq-axis, .evq figcaption, .evq-controls > div > span {
  color: ${QUIET}; }
.evq-problem { border-left: 3px solid #e5484d; background: #e5484d14; padding: 8px 12px;
  border-radius: 4px; overflow-wrap: anywhere; }
.evq-problem pre { margin: 0 0 4px; overflow-x: auto; color: inherit; background: none; }
.evq-controls { display: flex; flex-direction: column; gap: 8px; font-size: 0.88rem; }
.evq-controls button { padding: 3px 10px; min-height: 30px; }
.evq-found { display: flex; flex-wrap: wrap; gap: 8px; align-items: baseline; }
.evq-found strong { font-size: 1.6rem; font-weight: 600; }
.evq-found[aria-busy=true] { opacity: 0.55; }
.evq-hint { color: #cc8a14; }
.evq-cut { display: flex; flex-direction: column; gap: 6px; align-items: stretch; }
.evq-cut code { overflow-wrap: anywhere; }
.evq-cut select { align-self: flex-start; }
.evq-plot { position: relative; display: flex; align-items: flex-end; gap: 1px;
  cursor: ew-resize; touch-action: none; user-select: none; }
.evq-plot i { flex: 1 1 0; min-width: 0; background: #8b93a1; opacity: 0.45;
  border-radius: 1px 1px 0 0; pointer-events: none; }
.evq-plot i[data-kept=true] { background: #4c9be8; opacity: 0.9; }
.evq-plot b { position: absolute; top: -4px; bottom: -4px; width: 3px; margin-left: -1px;
  border-radius: 2px; background: #f58518; }
.evq-plot b::after { content: ""; position: absolute; left: -4px; top: -4px; width: 11px;
  height: 11px; border-radius: 50%; background: #f58518; }
.evq-axis { display: flex; justify-content: space-between; font-size: 0.8rem;
  margin-top: 6px; font-variant-numeric: tabular-nums; }
.evq-samples { display: flex; flex-wrap: wrap; gap: 12px 20px; }
.evq-pictures { margin: 0; min-width: 0; }
.evq-pictures > div { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 4px; }
.evq-pictures img { width: 72px; height: 54px; object-fit: cover; border-radius: 3px;
  background: var(--fo-palette-background-level2); }
.evq figcaption { font-size: 0.82rem; }
.evq-work { gap: 4px; padding: 10px 16px; border-radius: 4px; box-sizing: border-box;
  background: var(--fo-palette-background-level1); }
.evq-bar { height: 4px; margin-top: 4px; border-radius: 2px; overflow: hidden;
  background: var(--fo-palette-background-level3); }
.evq-bar i { display: block; height: 100%; border-radius: 2px;
  background: var(--fo-palette-primary-main); transition: width 0.4s; }
.evq-bar i[data-known=false] { width: 30%; animation: evq-busy 1.4s linear infinite; }
@keyframes evq-busy { from { transform: translateX(-100%); }
  to { transform: translateX(340%); } }
`;

  // src/Editor.jsx
  var PAUSE = 500;
  function Editor({ data, onChange, path, schema }) {
    const { view } = schema;
    const ask = useAsk(view);
    const trigger = (0, import_operators2.useTriggerPanelEvent)();
    const [text, setText] = (0, import_react7.useState)(data?.query ?? "");
    const [words, setWords] = (0, import_react7.useState)(null);
    const [found, setFound] = (0, import_react7.useState)({});
    const [looking, setLooking] = (0, import_react7.useState)(false);
    const [proposing, setProposing] = (0, import_react7.useState)(false);
    const latest = (0, import_react7.useRef)(text);
    const look = async (value, term) => {
      setLooking(true);
      const answer = await ask("look", { query: value, term });
      if (latest.current !== value) return null;
      setLooking(false);
      setFound({ ...answer, of: value });
      return answer;
    };
    const later = useLater(look, PAUSE);
    const write = (value) => {
      latest.current = value;
      setText(value);
      onChange(`${path}.query`, value);
    };
    const type = (value) => {
      write(value);
      later(value, found.term);
    };
    const search = async () => {
      const answer = await look(text, found.term);
      if (answer && !answer.problem) trigger(view.search);
    };
    const add = async (event, params) => {
      const { query, problem: problem2 } = await ask(event, { query: text, ...params });
      if (problem2) setFound({ problem: problem2, of: text });
      else {
        write(query);
        look(query);
      }
      return !problem2;
    };
    const cut = async (value) => {
      const { term } = found;
      const answer = await ask("move_cut", { query: text, term, value });
      if (answer.query) write(answer.query);
      setFound({ ...answer, of: answer.query ?? text });
    };
    (0, import_react7.useEffect)(() => {
      ask("words", {}).then((answer) => answer.fields && setWords(answer));
      if (text.trim()) look(text);
    }, []);
    (0, import_react7.useEffect)(() => {
      const given = data?.query ?? "";
      if (given !== latest.current) {
        latest.current = given;
        setText(given);
        if (given.trim()) look(given);
        else setFound({});
      }
    }, [data?.query]);
    const { problem } = found;
    return /* @__PURE__ */ import_react7.default.createElement("section", { className: "evq" }, /* @__PURE__ */ import_react7.default.createElement("style", null, STYLE), /* @__PURE__ */ import_react7.default.createElement("div", { className: "evq-row evq-top" }, /* @__PURE__ */ import_react7.default.createElement(
      Query,
      {
        text,
        words,
        placeholder: view.placeholder,
        wrong: Boolean(problem),
        onChange: type,
        onEnter: search,
        onPropose: setProposing
      }
    ), /* @__PURE__ */ import_react7.default.createElement("button", { type: "button", className: "evq-strong", onClick: search }, "Search"), (text || view.clears) && /* @__PURE__ */ import_react7.default.createElement("button", { type: "button", onClick: () => trigger(view.clear) }, "Clear")), problem && !proposing && /* @__PURE__ */ import_react7.default.createElement(Problem, { text: found.of, ...found }), /* @__PURE__ */ import_react7.default.createElement(Controls, { words, busy: looking, add }), !problem && /* @__PURE__ */ import_react7.default.createElement(Found, { view, found, looking }), !problem && found.histogram && /* @__PURE__ */ import_react7.default.createElement(Cuts, { found, cut, choose: (term) => look(text, term) }), !problem && /* @__PURE__ */ import_react7.default.createElement(Samples, { found }));
  }
  function Found({ view, found, looking }) {
    const { count, share, hint } = found.share ? found : view.found ?? {};
    if (!share) return looking ? /* @__PURE__ */ import_react7.default.createElement("div", { className: "evq-quiet" }, "Looking \u2026") : null;
    return /* @__PURE__ */ import_react7.default.createElement("div", { className: "evq-found", "aria-busy": looking, "aria-live": "polite" }, /* @__PURE__ */ import_react7.default.createElement("strong", null, count), /* @__PURE__ */ import_react7.default.createElement("span", { className: "evq-quiet" }, share), hint && /* @__PURE__ */ import_react7.default.createElement("span", { className: "evq-hint" }, hint));
  }
  function Cuts({ found, cut, choose }) {
    return /* @__PURE__ */ import_react7.default.createElement("div", { className: "evq-cut" }, found.terms.length > 1 ? /* @__PURE__ */ import_react7.default.createElement(
      "select",
      {
        "aria-label": "Similarity",
        value: found.term,
        onChange: ({ target }) => choose(target.value)
      },
      found.terms.map((term) => /* @__PURE__ */ import_react7.default.createElement("option", { key: term }, term))
    ) : /* @__PURE__ */ import_react7.default.createElement("code", null, found.term), /* @__PURE__ */ import_react7.default.createElement(Histogram, { ...found, onCut: cut }));
  }
  function Samples({ found }) {
    const title = found.term ? "Nearest" : "First found";
    return /* @__PURE__ */ import_react7.default.createElement("div", { className: "evq-samples" }, /* @__PURE__ */ import_react7.default.createElement(Pictures, { title, samples: found.first }), /* @__PURE__ */ import_react7.default.createElement(Pictures, { title: "Just inside the cut", samples: found.inside }), /* @__PURE__ */ import_react7.default.createElement(Pictures, { title: "Just outside", samples: found.outside }));
  }

  // src/Place.jsx
  var import_react8 = __toESM(require_react(), 1);
  var import_operators3 = __toESM(require_operators(), 1);
  function Place({ schema }) {
    const { dataset, load } = schema.view;
    const { datasetName } = (0, import_operators3.useGlobalExecutionContext)();
    const trigger = (0, import_operators3.useTriggerPanelEvent)();
    (0, import_react8.useEffect)(() => {
      if (datasetName && datasetName !== dataset) trigger(load);
    }, [dataset, datasetName]);
    return null;
  }

  // src/Work.jsx
  var import_react9 = __toESM(require_react(), 1);
  var import_operators4 = __toESM(require_operators(), 1);
  var PAUSE2 = 700;
  function Work({ schema }) {
    const { view } = schema;
    const ask = useAsk(view);
    const trigger = (0, import_operators4.useTriggerPanelEvent)();
    const [known2, setKnown] = (0, import_react9.useState)({});
    (0, import_react9.useEffect)(() => {
      let timer;
      let over = false;
      const look = async () => {
        const answer = await ask("progress", { work: view.work });
        if (over) return;
        setKnown(answer);
        if (answer.done) trigger(view.finish);
        timer = setTimeout(look, answer.done ? 5 * PAUSE2 : PAUSE2);
      };
      look();
      return () => {
        over = true;
        clearTimeout(timer);
      };
    }, [view.work]);
    const { label, problem, share } = known2;
    const width = typeof share === "number" ? `${Math.round(100 * share)}%` : void 0;
    return /* @__PURE__ */ import_react9.default.createElement("section", { className: "evq evq-work", role: "status", "aria-busy": !problem }, /* @__PURE__ */ import_react9.default.createElement("style", null, STYLE), /* @__PURE__ */ import_react9.default.createElement("div", null, problem ?? view.words), label && !problem && /* @__PURE__ */ import_react9.default.createElement("div", { className: "evq-quiet" }, label), !problem && /* @__PURE__ */ import_react9.default.createElement(
      "div",
      {
        className: "evq-bar",
        role: "progressbar",
        "aria-label": view.words,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": width && parseInt(width, 10)
      },
      /* @__PURE__ */ import_react9.default.createElement("i", { "data-known": Boolean(width), style: { width } })
    ));
  }

  // src/index.jsx
  (0, import_plugins.registerComponent)({
    name: "EvalsetsQuery",
    label: "Query",
    component: Editor,
    type: import_plugins.PluginComponentType.Component
  });
  (0, import_plugins.registerComponent)({
    name: "EvalsetsWork",
    label: "Work",
    component: Work,
    type: import_plugins.PluginComponentType.Component
  });
  (0, import_plugins.registerComponent)({
    name: "EvalsetsPlace",
    label: "Place",
    component: Place,
    type: import_plugins.PluginComponentType.Component
  });
})();
