// The client of graphql-ws follows publications over restarts of the server; after each connect it asks for what
// came after the last number that it has seen. Arguments: address (ws://), key, first number, last number.
// Prints each event as a line, as it comes; ends after the last number.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, key, first, last] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${key}` },
  retryAttempts: 1000, // a server starts in 4 s, in 30 on a busy machine
  shouldRetry: () => true,
  retryWait: () => new Promise((again) => setTimeout(again, 100)),
  on: { connected: () => console.log(JSON.stringify({ connected: true })) },
});
// A retry sends this same object again, so what has been seen stands in it.
const variables = { since: first };
const query = `subscription($since: BigInt) {
  publications(sincePublication: $since) { number feed target }
}`;
const events = client.iterate({ query, variables });
for await (const { data, errors } of events) {
  if (errors) {
    console.log(JSON.stringify({ errors }));
    break;
  }
  variables.since = String(data.publications.number);
  console.log(JSON.stringify(data.publications));
  if (variables.since === last) break;
}
await client.dispose();
