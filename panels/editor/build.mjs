// Builds dist/editor.js. Its first line names the digest of what it was built from.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { build } from "esbuild";

const sources = [
  "build.mjs",
  "package-lock.json",
  ...readdirSync("src").map((name) => `src/${name}`),
].sort();
const digest = createHash("sha256");
for (const name of sources) digest.update(`${name}\n`).update(readFileSync(name));

// What the App has loaded already; a second React would not work inside its own.
const GLOBALS = {
  react: "window.React",
  "@fiftyone/operators": "window.__foo__",
  "@fiftyone/plugins": "window.__fop__",
  "@fiftyone/spaces": "window.__fosp__",
  "@fiftyone/state": "window.__fos__",
};
const app = {
  name: "app",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(react|@fiftyone\/.*)$/ }, ({ path }) => ({
      path,
      namespace: "app",
    }));
    onLoad({ filter: /.*/, namespace: "app" }, ({ path }) => ({
      contents: `module.exports = ${GLOBALS[path]};`,
    }));
  },
};

await build({
  entryPoints: ["src/index.jsx"],
  outfile: "dist/editor.js",
  bundle: true,
  format: "iife",
  target: "es2020",
  jsx: "transform",
  banner: { js: `// sources ${digest.digest("hex")}` },
  plugins: [app],
});
