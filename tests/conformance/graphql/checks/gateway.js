// Composes Fulcrum with another subgraph by Apollo's own composition and asks both through a gateway.
// Arguments: address, key. Prints JSON: hints of the composition, requests to Fulcrum, answers.
import { createServer } from 'node:http';
import { composeServices } from '@apollo/composition';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { parse } from 'graphql';
import { sdl as researchSdl, serveResearch } from './research.js';

const [url, key] = process.argv.slice(2);
const authorization = `Bearer ${key}`;
const ask = async (address, body, headers) => {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
};

const CROSSING = `{
  recommendations { rating instrument { name latestPrice { price currencyCode } } }
  portfolio(code: "FUND") {
    name
    comments
    holdings(first: 5) { nodes { quantity instrument { name rating } } }
  }
}`;

const { data } = await ask(url, { query: '{ _service { sdl } }' }, { authorization });
const research = await serveResearch();
const composed = composeServices([
  { name: 'fulcrum', url, typeDefs: parse(data._service.sdl) },
  { name: 'research', url: `http://127.0.0.1:${research.address().port}/graphql`, typeDefs: parse(researchSdl) },
]);
if (composed.errors?.length) {
  console.log(JSON.stringify({ errors: composed.errors.map((error) => error.message) }));
  process.exit(0);
}

const toFulcrum = [];
const counting = (address, options, ...rest) => {
  if (String(address).startsWith(url)) toFulcrum.push(JSON.parse(options.body));
  return fetch(address, options, ...rest);
};
const gateway = createGatewayRuntime({
  supergraph: composed.supergraphSdl,
  logging: false,
  fetchAPI: { ...globalThis, fetch: counting },
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') }),
  },
});
const server = createServer(gateway);
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const through = `http://127.0.0.1:${server.address().port}/graphql`;
const crossing = await ask(through, { query: CROSSING }, { authorization });
const asked = toFulcrum.map((sent) => ({ query: sent.query, variables: sent.variables }));
const stranger = await ask(through, { query: '{ portfolio(code: "FUND") { name } }' }, { authorization: 'Bearer fk_no' });
console.log(
  JSON.stringify({ hints: composed.hints?.map((hint) => hint.message) ?? [], asked, crossing, stranger }),
);
server.close();
research.close();
await gateway[Symbol.asyncDispose]?.();
process.exit(0);
