// What a new schema breaks for clients of an old one, by graphql-inspector.
// Arguments: file of the old schema, file of the new one. Prints JSON: every breaking change.
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [before, after] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, 'utf8')));
const changes = await diff(before, after);
const shown = changes.map((change) => ({
  path: change.path ?? '',
  type: change.type,
  message: change.message,
  isBreaking: change.criticality.level === CriticalityLevel.Breaking,
}));
console.log(JSON.stringify(shown));
