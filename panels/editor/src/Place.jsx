import { useEffect } from "react";
import { useGlobalExecutionContext, useTriggerPanelEvent } from "@fiftyone/operators";

/** Has the panel loaded again where it was drawn for another dataset than the App shows. */
export default function Place({ schema }) {
  const { dataset, load } = schema.view;
  const { datasetName } = useGlobalExecutionContext();
  const trigger = useTriggerPanelEvent();
  useEffect(() => {
    if (datasetName && datasetName !== dataset) trigger(load);
  }, [dataset, datasetName]);
  return null;
}
