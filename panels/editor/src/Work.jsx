import React, { useEffect, useState } from "react";
import { useTriggerPanelEvent } from "@fiftyone/operators";
import { useAsk } from "./events.js";
import { STYLE } from "./style.js";

const PAUSE = 700; // ms between two questions

/** What the panel waits for; asks how far it is until the panel shows what came of it. */
export default function Work({ schema }) {
  const { view } = schema;
  const ask = useAsk(view);
  const trigger = useTriggerPanelEvent();
  const [known, setKnown] = useState({});

  useEffect(() => {
    let timer;
    let over = false;
    const look = async () => {
      const answer = await ask("progress", { work: view.work });
      if (over) return;
      setKnown(answer);
      if (answer.done) trigger(view.finish);
      timer = setTimeout(look, answer.done ? 5 * PAUSE : PAUSE);
    };
    look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [view.work]);

  const { label, problem, share } = known;
  const width = typeof share === "number" ? `${Math.round(100 * share)}%` : undefined;
  return (
    <section className="evq evq-work" role="status" aria-busy={!problem}>
      <style>{STYLE}</style>
      <div>{problem ?? view.words}</div>
      {label && !problem && <div className="evq-quiet">{label}</div>}
      {!problem && (
        <div
          className="evq-bar"
          role="progressbar"
          aria-label={view.words}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={width && parseInt(width, 10)}
        >
          <i data-known={Boolean(width)} style={{ width }} />
        </div>
      )}
    </section>
  );
}
