import React from "react";
import { getSampleSrc } from "@fiftyone/state";

/** A few samples in a row, with what they are. */
export default function Pictures({ title, samples }) {
  if (!samples?.length) return null;
  return (
    <figure className="evq-pictures">
      <figcaption>{title}</figcaption>
      <div>
        {samples.map(({ id, file }) => (
          <img key={id} src={getSampleSrc(file)} alt={name(file)} title={name(file)} />
        ))}
      </div>
    </figure>
  );
}

function name(file) {
  return file.split(/[\\/]/).pop();
}
