// Builds the bundle that the Python package ships: `node build.mjs`. With `check`, compares it with the committed one
// and writes nothing; with `tests`, builds the tests instead, into a folder that may be named.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { build, transform } from "esbuild";

const common = { bundle: true, format: "esm", target: "es2022", legalComments: "none", logLevel: "warning" };
// A style sheet is bundled as its text.
const styles = {
  name: "styles",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    }),
};
const bundle = {
  ...common,
  entryPoints: {
    "explorer/bundle/explorer": "src/main.ts",
    "explorer/bundle/widget": "src/widget.ts",
    "views/player": "src/player.ts",
  },
  outdir: "../src/fallline",
  minify: true,
  charset: "utf8",
  plugins: [styles],
};
const tests = {
  ...common,
  entryPoints: readdirSync("test")
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `test/${name}`),
  outdir: process.argv[3] ?? "node_modules/.tests",
  outExtension: { ".js": ".mjs" },
  platform: "node",
  sourcemap: "inline",
};

function committed(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (process.argv[2] === "tests") {
  rmSync(tests.outdir, { recursive: true, force: true });
  await build(tests);
} else if (process.argv[2] === "check") {
  const built = await build({ ...bundle, write: false });
  const stale = built.outputFiles.filter((file) => committed(file.path) !== file.text);
  for (const file of stale) console.error(`${file.path} is not what the sources build; run: npm run build`);
  process.exitCode = stale.length ? 1 : 0;
} else {
  await build(bundle);
}
