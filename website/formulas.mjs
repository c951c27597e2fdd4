// Sets formulas with KaTeX: reads [[tex, display], ...] as JSON, writes what each became.
// An error ends it with the formula's words.
import katex from "katex";

let text = "";
process.stdin.setEncoding("utf8");
for await (const part of process.stdin) text += part;
const done = JSON.parse(text).map(([tex, display]) => {
  try {
    return katex.renderToString(tex, { displayMode: display, output: "htmlAndMathml" });
  } catch (error) {
    console.error(`KaTeX cannot set ${tex}: ${error.message}`);
    process.exit(1);
  }
});
process.stdout.write(JSON.stringify(done));
