// A second, small subgraph: a research team's opinions about our instruments and portfolios.
import { createServer } from 'node:http';
import { buildSchema, graphql } from 'graphql';

export const sdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])

  type Query { recommendations: [Recommendation!]! }
  type Recommendation { rating: String!, instrument: Instrument }
  type Instrument @key(fields: "isin") { isin: String, rating: String }
  type Portfolio @key(fields: "code") { code: String!, comments: [String!]! }
`;

const RATINGS = { GB00PENCE001: 'BUY', US00PLAIN001: 'HOLD' };
const TYPES = {
  Instrument: ({ isin }) => ({ __typename: 'Instrument', isin, rating: RATINGS[isin] ?? null }),
  Portfolio: ({ code }) => ({ __typename: 'Portfolio', code, comments: [`${code} is watched`] }),
};

const executable = buildSchema(`
  scalar _Any
  union _Entity = Instrument | Portfolio
  type _Service { sdl: String! }
  type Query {
    recommendations: [Recommendation!]!
    _service: _Service!
    _entities(representations: [_Any!]!): [_Entity]!
  }
  type Recommendation { rating: String!, instrument: Instrument }
  type Instrument { isin: String, rating: String }
  type Portfolio { code: String!, comments: [String!]! }
`);

const rootValue = {
  recommendations: [...Object.entries(RATINGS), ['XX0000000000', 'SELL']].map(([isin, rating]) => ({
    rating,
    instrument: TYPES.Instrument({ isin }),
  })),
  _service: { sdl },
  _entities: ({ representations }) => representations.map((sent) => TYPES[sent.__typename](sent)),
};

/** Serves it on a free port of this machine. */
export async function serveResearch() {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { query, variables, operationName } = JSON.parse(body);
    const result = await graphql({
      schema: executable,
      source: query,
      variableValues: variables,
      operationName,
      rootValue,
    });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return server;
}
