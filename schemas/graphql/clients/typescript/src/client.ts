// A client of Fulcrum with a normalised cache: an entity that any query brought is there for all.
import { Client, fetchExchange } from '@urql/core';
import { type Cache, cacheExchange } from '@urql/exchange-graphcache';

/** Objects without an id of their own live inside the entity that holds them. */
const embedded = (): null => null;

export interface Connected {
  client: Client;
  /** How many requests have left this machine. */
  requests: () => number;
}

export function connect(url: string, key: string): Connected {
  let sent = 0;
  const counted: typeof fetch = (...request) => {
    sent += 1;
    return fetch(...request);
  };
  const client = new Client({
    url,
    fetch: counted,
    fetchOptions: { headers: { authorization: `Bearer ${key}`, accept: 'application/graphql-response+json' } },
    preferGetMethod: false,
    exchanges: [
      cacheExchange({
        keys: {
          Trust: embedded,
          Wealth: embedded,
        },
        resolvers: {
          // An id begins with the type that it names, so whatever is cached needs no request.
          Query: {
            node: (_parent, { id }, _cache: Cache) => ({ __typename: String(id).split(':')[0] ?? '', id: String(id) }),
          },
        },
      }),
      fetchExchange,
    ],
  });
  return { client, requests: () => sent };
}
