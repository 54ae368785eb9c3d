// npm run generate && npm run build && FULCRUM_KEY=fk_... npm start -- FD00001
import { connect } from './client.js';
import { InstrumentCardDocument, PortfolioPositionsDocument, WealthDocument } from './generated/graphql.js';

const url = process.env['FULCRUM_URL'] ?? 'http://127.0.0.1:8400/graphql';
const key = process.env['FULCRUM_KEY'] ?? '';
const [portfolio = 'FD00001', owner = 'CL00001'] = process.argv.slice(2);

const { client, requests } = connect(url, key);
const positions = await client.query(PortfolioPositionsDocument, { code: portfolio }).toPromise();
if (positions.error) throw positions.error;
const held = positions.data?.portfolio?.holdings.nodes ?? [];
const lines = held.map((line) => ({
  instrument: line.instrument?.name ?? null,
  quantity: line.quantity satisfies string | null,
  verdict: line.trust.verdict,
}));

// The same instrument again, by id: it is answered from the cache.
const first = held[0]?.instrument;
const before = requests();
const card = first ? await client.query(InstrumentCardDocument, { id: first.id }).toPromise() : undefined;
const wealth = await client.query(WealthDocument, { code: owner }).toPromise();
if (wealth.error) throw wealth.error;

console.log(
  JSON.stringify({
    portfolio: positions.data?.portfolio?.name ?? null,
    lines,
    card: card?.data?.node ?? null,
    isFromCache: requests() === before + 1,
    wealth: wealth.data?.client?.wealth.map(({ currencyCode, amount }) => ({ currencyCode, amount })) ?? [],
  }),
);
