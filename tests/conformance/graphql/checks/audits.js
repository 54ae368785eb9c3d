// The audits of graphql-http (the reference implementation of GraphQL over HTTP) against a server.
// Arguments: address, key. Prints JSON: how many audits there are, and those that did not pass.
import { serverAudits } from 'graphql-http';

const [url, key] = process.argv.slice(2);
const fetchFn = (address, options = {}) =>
  fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } });
const audits = serverAudits({ url, fetchFn });
const failed = [];
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status !== 'ok') {
    failed.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
  }
  await result.response?.body?.cancel?.().catch(() => undefined);
}
console.log(JSON.stringify({ audits: audits.length, failed }));
