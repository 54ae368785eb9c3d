// Holds FDC3 contexts against the schemas that FINOS publishes.
// Standard input: a JSON list of contexts. Prints JSON: a list of faults for each of them.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';

const folder = new URL('../node_modules/@finos/fdc3-context/dist/schemas/context/', import.meta.url);
const ajv = addFormats(new Ajv.default({ strict: false, allErrors: true }));
const ids = {};
for (const file of readdirSync(fileURLToPath(folder))) {
  const schema = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  delete schema.$schema; // draft 07 is what they say; `unevaluatedProperties` is of 2019-09
  ajv.addSchema(schema);
  ids[`fdc3.${file.replace('.schema.json', '')}`] = schema.$id;
}
const contexts = JSON.parse(readFileSync(0, 'utf8'));
const faults = contexts.map((context) => {
  const check = ajv.getSchema(ids[context.type]);
  if (!check) return [`no schema for ${context.type}`];
  return check(context) ? [] : check.errors.map((error) => `${error.instancePath} ${error.message}`);
});
console.log(JSON.stringify(faults));
