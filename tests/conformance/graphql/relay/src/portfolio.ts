// Fragments, a paginated connection and a refetch by `node(id:)`, for the Relay compiler.
import { graphql } from 'relay-runtime';

export const holding = graphql`
  fragment portfolio_holding on Holding {
    quantity
    marketValue
    currencyCode
    instrument {
      name
    }
  }
`;

export const holdings = graphql`
  fragment portfolio_holdings on Portfolio
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "portfolioHoldingsPage") {
    name
    holdings(first: $count, after: $cursor) @connection(key: "portfolio_holdings") {
      edges {
        node {
          id
          ...portfolio_holding
        }
      }
    }
  }
`;

export const query = graphql`
  query portfolioQuery($code: String!, $asOf: Date) {
    portfolio(code: $code, asOf: $asOf) {
      ...portfolio_holdings
      trust {
        verdict
        knownAt
      }
    }
  }
`;
