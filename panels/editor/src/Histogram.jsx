import React, { useEffect, useRef, useState } from "react";
import { useLater } from "./events.js";

const HEIGHT = 64;

/** How a similarity is spread, with its cut to drag. */
export default function Histogram({ term, cut, above, histogram, onCut }) {
  const frame = useRef();
  const [moved, setMoved] = useState(null);
  const settle = useLater(onCut, 300);
  useEffect(() => setMoved(null), [cut, term]);

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
    move(low + ((clientX - left) / pixels) * width);
  };
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

  return (
    <div className="evq-histogram">
      <div
        ref={frame}
        className="evq-plot"
        style={{ height: HEIGHT }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => event.buttons && follow(event)}
        onPointerUp={() => moved !== null && onCut(moved)}
      >
        {counts.map((count, at) => {
          const middle = (at + 0.5) / counts.length;
          const kept = above ? middle > share : middle < share;
          const height = count && Math.max(2, (Math.sqrt(count) / most) * HEIGHT);
          const title = `${count.toLocaleString()} samples`;
          return <i key={at} title={title} data-kept={kept} style={{ height }} />;
        })}
        <b
          role="slider"
          tabIndex={0}
          aria-label={`Cut of ${term}`}
          aria-valuemin={low}
          aria-valuemax={high}
          aria-valuenow={value}
          style={{ left: `${100 * share}%` }}
          onKeyDown={(event) => {
            if (!step[event.key]) return;
            event.preventDefault();
            move(value + (step[event.key] * width) / 100, true);
          }}
        />
      </div>
      <div className="evq-axis">
        <span>{low.toFixed(2)}</span>
        <span>{`cut ${value}`}</span>
        <span>{high.toFixed(2)}</span>
      </div>
    </div>
  );
}
