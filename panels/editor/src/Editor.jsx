import React, { useEffect, useRef, useState } from "react";
import { useTriggerPanelEvent } from "@fiftyone/operators";
import Controls from "./Controls.jsx";
import Histogram from "./Histogram.jsx";
import Pictures from "./Pictures.jsx";
import Problem from "./Problem.jsx";
import Query from "./Query.jsx";
import { useAsk, useLater } from "./events.js";
import { STYLE } from "./style.js";

const PAUSE = 500; // ms in typing after which the query is looked at

/** The query of the Populations panel; what it means is asked of Python. */
export default function Editor({ data, onChange, path, schema }) {
  const { view } = schema;
  const ask = useAsk(view);
  const trigger = useTriggerPanelEvent();
  const [text, setText] = useState(data?.query ?? "");
  const [words, setWords] = useState(null);
  const [found, setFound] = useState({});
  const [looking, setLooking] = useState(false);
  const [proposing, setProposing] = useState(false);
  const latest = useRef(text);

  const look = async (value, term) => {
    setLooking(true);
    const answer = await ask("look", { query: value, term });
    if (latest.current !== value) return null; // typed on since
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
    const { query, problem } = await ask(event, { query: text, ...params });
    if (problem) setFound({ problem, of: text });
    else {
      write(query);
      look(query);
    }
    return !problem;
  };
  const cut = async (value) => {
    const { term } = found;
    const answer = await ask("move_cut", { query: text, term, value });
    if (answer.query) write(answer.query);
    setFound({ ...answer, of: answer.query ?? text });
  };

  useEffect(() => {
    ask("words", {}).then((answer) => answer.fields && setWords(answer));
    if (text.trim()) look(text);
  }, []);
  useEffect(() => {
    const given = data?.query ?? "";
    if (given !== latest.current) {
      latest.current = given;
      setText(given);
      if (given.trim()) look(given);
      else setFound({});
    }
  }, [data?.query]);

  const { problem } = found;
  return (
    <section className="evq">
      <style>{STYLE}</style>
      <div className="evq-row evq-top">
        <Query
          text={text}
          words={words}
          placeholder={view.placeholder}
          wrong={Boolean(problem)}
          onChange={type}
          onEnter={search}
          onPropose={setProposing}
        />
        <button type="button" className="evq-strong" onClick={search}>
          Search
        </button>
        {(text || view.clears) && (
          <button type="button" onClick={() => trigger(view.clear)}>
            Clear
          </button>
        )}
      </div>
      {problem && !proposing && <Problem text={found.of} {...found} />}
      <Controls words={words} busy={looking} add={add} />
      {!problem && <Found view={view} found={found} looking={looking} />}
      {!problem && found.histogram && (
        <Cuts found={found} cut={cut} choose={(term) => look(text, term)} />
      )}
      {!problem && <Samples found={found} />}
    </section>
  );
}

function Found({ view, found, looking }) {
  const { count, share, hint } = found.share ? found : (view.found ?? {});
  if (!share) return looking ? <div className="evq-quiet">Looking …</div> : null;
  return (
    <div className="evq-found" aria-busy={looking} aria-live="polite">
      <strong>{count}</strong>
      <span className="evq-quiet">{share}</span>
      {hint && <span className="evq-hint">{hint}</span>}
    </div>
  );
}

function Cuts({ found, cut, choose }) {
  return (
    <div className="evq-cut">
      {found.terms.length > 1 ? (
        <select
          aria-label="Similarity"
          value={found.term}
          onChange={({ target }) => choose(target.value)}
        >
          {found.terms.map((term) => (
            <option key={term}>{term}</option>
          ))}
        </select>
      ) : (
        <code>{found.term}</code>
      )}
      <Histogram {...found} onCut={cut} />
    </div>
  );
}

function Samples({ found }) {
  const title = found.term ? "Nearest" : "First found";
  return (
    <div className="evq-samples">
      <Pictures title={title} samples={found.first} />
      <Pictures title="Just inside the cut" samples={found.inside} />
      <Pictures title="Just outside" samples={found.outside} />
    </div>
  );
}
