// The schema rules of graphql-eslint, all of them but those switched off below with a reason.
// Argument: file of the schema. Prints JSON: number of rules, and faults.
import { readFileSync } from 'node:fs';
import { Linter } from 'eslint';
import plugin from '@graphql-eslint/eslint-plugin';

const OFF = {
  alphabetize: 'fields stand in the order in which people read them',
  'no-typename-prefix': 'one quantity has one name, whatever type it stands in: Price.price, Nav.navBase',
  'no-root-type': 'the API has all three roots',
  'require-field-of-type-query-in-mutation-result': 'a mutation answers with what it changed; the rest is a query',
  'require-nullable-result-in-root': 'a list is empty, never null; what may be hidden is nullable',
  'strict-id-in-types': 'parts of an object (trust, pages, explanations) have no identity; nodes are tested',
};
const OPTIONS = {
  // connections also have plain `nodes`; versions of a history are states of a node, not nodes
  'relay-edge-types': { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
};
// Lines of the schema that need not follow a rule.
const ALLOWED = [
  // names that Apollo's specification of subgraphs gives
  { rule: 'naming-convention', line: /\b_(Any|Entity|Service|entities|service)\b/ },
  // GraphQL's own directive, printed because clients built on GraphQL 2021 do not know it
  { rule: 'require-description', line: /^directive @oneOf / },
];

const { configs } = plugin;
const chosen = { ...configs['flat/schema-all'].rules, ...configs['flat/schema-relay'].rules };
const bare = (name) => (name ?? 'parser').replace('@graphql-eslint/', '');
const rules = Object.fromEntries(
  Object.entries(chosen)
    .filter(([name]) => !(bare(name) in OFF))
    .map(([name, set]) => [name, bare(name) in OPTIONS ? ['error', OPTIONS[bare(name)]] : set]),
);
const [file] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const found = new Linter().verify(
  text,
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': plugin },
    languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: file } } },
    rules,
  },
  { filename: 'schema.graphql' },
);
const lines = text.split('\n');
const faults = found
  .map(({ ruleId, line, message }) => ({ rule: bare(ruleId), line: lines[line - 1].trim(), message }))
  .filter((fault) => !ALLOWED.some((one) => one.rule === fault.rule && one.line.test(fault.line)));
console.log(JSON.stringify({ rules: Object.keys(rules).length, faults }));
