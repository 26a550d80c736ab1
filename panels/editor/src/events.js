import { useCallback, useEffect, useRef } from "react";
import { usePanelEvent } from "@fiftyone/operators";
import { usePanelId } from "@fiftyone/spaces";

const REMEDY = "if the App's server or MongoDB is gone, start it again and reload this page";

/** What to tell where a handler did not answer at all. */
function lost(answer) {
  const said = String(answer?.errorMessage ?? answer?.error ?? "no answer");
  return { problem: `That did not work (${said.trim().split("\n").pop()}); ${REMEDY}` };
}

/** Sends an event of the panel without its state; resolves to what the handler gave. */
export function useAsk(view) {
  const send = usePanelEvent();
  const panelId = usePanelId();
  const last = useRef();
  last.current = (event, params) =>
    new Promise((resolve) => {
      send(panelId, {
        operator: view[event],
        params,
        currentPanelState: {},
        callback: (answer) => {
          resolve(answer?.result ?? lost(answer));
          return false; // the App would put a traceback in place of the panel
        },
      });
    });
  return useCallback((event, params) => last.current(event, params), []);
}

/** Runs a function once nothing has called for it for a while. */
export function useLater(run, pause) {
  const timer = useRef();
  const last = useRef();
  last.current = run;
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(
    (...given) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => last.current(...given), pause);
    },
    [pause],
  );
}
