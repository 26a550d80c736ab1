import React, { useEffect, useRef, useState } from "react";
import { complete } from "./complete.js";

/** The text of the query, with completion. */
export default function Query({ text, words, placeholder, wrong, onChange, onEnter, onPropose }) {
  const area = useRef();
  const [caret, setCaret] = useState(null); // where to complete; null for not at all
  const [chosen, setChosen] = useState(-1);
  const options = caret === null || !words ? [] : complete(text, caret, words);
  useEffect(() => onPropose(options.length > 0), [options.length > 0]);

  const propose = (place) => {
    setCaret(place);
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

  return (
    <div className="evq-query">
      <textarea
        ref={area}
        aria-label="Query"
        aria-invalid={wrong}
        placeholder={placeholder}
        rows={Math.min(8, Math.max(2, text.split("\n").length, text.length / 60))}
        spellCheck={false}
        value={text}
        onChange={({ target }) => {
          onChange(target.value);
          propose(target.selectionStart);
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      {options.length > 0 && (
        <ul role="listbox" aria-label="Completions">
          {options.map((option, at) => (
            <li
              key={option.label}
              role="option"
              aria-selected={at === chosen}
              onMouseDown={(event) => {
                event.preventDefault();
                take(option);
              }}
            >
              <span>{option.label}</span>
              <small>{option.hint}</small>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
