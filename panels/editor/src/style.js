const LINE = "1px solid var(--fo-palette-divider)";
const QUIET = "var(--fo-palette-text-secondary)";

export const STYLE = `
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
