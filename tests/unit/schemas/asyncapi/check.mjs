// The official parser's word on the document. It is on npm and not needed by the tests, which hold the document to the
// same JSON Schema. From the top of the checkout:
//   npm install --no-save --prefix /tmp/asyncapi @asyncapi/parser@3.6.3
//   NODE_PATH=/tmp/asyncapi/node_modules node tests/unit/schemas/asyncapi/check.mjs
import { createRequire } from "node:module";

const { Parser, fromFile } = createRequire(import.meta.url)("@asyncapi/parser");
const path = new URL("../../../../schemas/asyncapi.yaml", import.meta.url).pathname;
const { document, diagnostics } = await fromFile(new Parser(), path).parse();
for (const { severity, path: place, message } of diagnostics) {
  console.log(["error", "warning", "info", "hint"][severity], place.join("."), message);
}
console.log(document ? "valid" : "not valid");
process.exit(document ? 0 : 1);
