from datetime import date, datetime
from typing import Any, Optional, Union

from .ask_waiver import AskWaiver
from .base_client import BaseClient
from .base_model import UNSET, UnsetType
from .changed_since import ChangedSince
from .client_360 import Client360
from .client_wealth import ClientWealth
from .enums import ExposureDimension, RequireTrust
from .feed_health import FeedHealth
from .holding_history import HoldingHistory
from .holdings_as_known import HoldingsAsKnown
from .incomplete_navs import IncompleteNavs
from .input_types import AskWaiverInput, Since
from .instrument_page import InstrumentPage
from .number_explained import NumberExplained
from .portfolio_page import PortfolioPage
from .publication_effects import PublicationEffects
from .stale_prices import StalePrices
from .trusted_nav import TrustedNav


def gql(q: str) -> str:
    return q


class Fulcrum(BaseClient):
    def ask_waiver(self, input: AskWaiverInput, **kwargs: Any) -> AskWaiver:
        query = gql("""
            mutation AskWaiver($input: AskWaiverInput!) {
              askWaiver(input: $input) {
                isRepeated
                waiver {
                  id
                  number
                  state
                  askedBy
                  ruleId
                  feed
                  beginDate
                  endDate
                  reason
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = self.execute(
            query=query, operation_name="AskWaiver", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AskWaiver.model_validate(data)

    def changed_since(
        self,
        since: Since,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ChangedSince:
        query = gql("""
            query ChangedSince($since: Since!, $asOf: Date) {
              changes(since: $since, asOf: $asOf) {
                sincePublication
                untilPublication
                untilKnownAt
                targets {
                  target
                  publications
                  rowsPublished
                  rowsSuperseded
                  businessDateFrom
                  businessDateTo
                }
                navs(first: 20) {
                  totalCount
                  nodes {
                    navBaseBefore
                    navBaseAfter
                    deltaBase
                    baseCurrencyCodeAfter
                    portfolio {
                      code
                      name
                      changes(since: $since) {
                        positions(first: 5) {
                          totalCount
                          nodes {
                            kindCode
                            quantityBefore
                            quantityAfter
                            valueBaseBefore
                            valueBaseAfter
                            baseCurrencyCodeAfter
                            instrument {
                              code
                              name
                            }
                          }
                        }
                      }
                    }
                  }
                }
                publications(first: 20) {
                  nodes {
                    number
                    knownAt
                    feed
                    target
                    verdict
                    delivery {
                      fileName
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"since": since, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="ChangedSince", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ChangedSince.model_validate(data)

    def client_360(
        self,
        client: str,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Client360:
        query = gql("""
            query Client360($client: String!, $asOf: Date) {
              client(code: $client, asOf: $asOf) {
                code
                name
                kindCode
                riskClassCode
                riskClassSinceDate
                riskClassUntilDate
                isRiskClassValid
                kycStatusCode
                identifiers {
                  scheme
                  value
                }
                wealth {
                  currencyCode
                  amount
                  unitHoldings
                  mandates
                  isComplete
                }
                wealthByAssetClass {
                  assetClassCode
                  currencyCode
                  amount
                  positions
                  isComplete
                }
                accounts {
                  nodes {
                    code
                    kindCode
                    currencyCode
                    statusCode
                  }
                }
                unitHoldings(first: 20) {
                  totalCount
                  nodes {
                    units
                    account {
                      code
                    }
                    shareClass {
                      code
                      name
                    }
                    value {
                      amount
                      currencyCode
                      unitPrice
                      priceDate
                      stalenessDays
                    }
                  }
                }
                portfolios {
                  nodes {
                    code
                    name
                    kindCode
                    latestNav {
                      businessDate
                      navBase
                      baseCurrencyCode
                      isComplete
                    }
                  }
                }
                history(first: 5) {
                  nodes {
                    knownAt
                    validFrom
                    validTo
                    changed
                  }
                }
                trust {
                  verdict
                  knownAt
                  feed
                  deliveryFile
                }
              }
            }
            """)
        variables: dict[str, object] = {"client": client, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="Client360", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Client360.model_validate(data)

    def client_wealth(
        self,
        client: str,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ClientWealth:
        query = gql("""
            query ClientWealth($client: String!, $asOf: Date) {
              client(code: $client, asOf: $asOf) {
                code
                name
                riskClassCode
                wealth {
                  currencyCode
                  amount
                  unitHoldings
                  mandates
                  isComplete
                }
                accounts {
                  nodes {
                    code
                    unitHoldings {
                      nodes {
                        units
                        shareClass {
                          code
                          name
                          portfolio {
                            code
                            riskLevelCode
                          }
                        }
                        value {
                          amount
                          currencyCode
                          unitPrice
                          priceDate
                          stalenessDays
                        }
                      }
                    }
                  }
                }
                portfolios(where: {kindCode: {eq: "MANDATE"}}) {
                  nodes {
                    code
                    name
                    latestNav {
                      businessDate
                      navBase
                      baseCurrencyCode
                      isComplete
                      trust {
                        verdict
                        stalenessDays
                        warnings
                      }
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"client": client, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="ClientWealth", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ClientWealth.model_validate(data)

    def feed_health(
        self, as_of: Union[Optional[date], UnsetType] = UNSET, **kwargs: Any
    ) -> FeedHealth:
        query = gql("""
            query FeedHealth($asOf: Date) {
              feeds(first: 100, asOf: $asOf) {
                nodes {
                  name
                  lastLandedAt
                  lastBusinessDate
                  stalenessDays
                  deliveryCount
                  outcomes {
                    outcome
                    deliveries
                    lastLandedAt
                  }
                  findings {
                    rule
                    severity
                    deliveries
                    rowsFailed
                    owner
                  }
                  lastDelivery {
                    fileName
                    outcome
                    rowsIn
                    rowsQuarantined
                    messages
                  }
                  lastPublication {
                    number
                    knownAt
                    verdict
                    rowsPublished
                    rowsSuperseded
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"asOf": as_of}
        response = self.execute(
            query=query, operation_name="FeedHealth", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return FeedHealth.model_validate(data)

    def holding_history(
        self, portfolio: str, as_of: date, **kwargs: Any
    ) -> HoldingHistory:
        query = gql("""
            query HoldingHistory($portfolio: String!, $asOf: Date!) {
              portfolio(code: $portfolio, asOf: $asOf) {
                code
                holdings(first: 20) {
                  nodes {
                    instrument {
                      code
                      name
                    }
                    history {
                      nodes {
                        publishedIn
                        knownAt
                        supersededAt
                        changed
                        quantity
                        marketValue
                        currencyCode
                        trust {
                          deliveryFile
                        }
                      }
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"portfolio": portfolio, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="HoldingHistory", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return HoldingHistory.model_validate(data)

    def holdings_as_known(
        self,
        portfolio: str,
        as_of: date,
        known_at: Union[Optional[datetime], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> HoldingsAsKnown:
        query = gql("""
            query HoldingsAsKnown($portfolio: String!, $asOf: Date!, $knownAt: DateTime, $after: String) {
              portfolio(code: $portfolio, asOf: $asOf, knownAt: $knownAt) {
                code
                name
                holdings(first: 20, after: $after, orderBy: MARKET_VALUE_DESC) {
                  totalCount
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                  nodes {
                    instrument {
                      code
                      name
                    }
                    quantity
                    marketValue
                    currencyCode
                    trust {
                      publication
                      knownAt
                      verdict
                      deliveryFile
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "portfolio": portfolio,
            "asOf": as_of,
            "knownAt": known_at,
            "after": after,
        }
        response = self.execute(
            query=query, operation_name="HoldingsAsKnown", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return HoldingsAsKnown.model_validate(data)

    def incomplete_navs(
        self,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> IncompleteNavs:
        query = gql("""
            query IncompleteNavs($asOf: Date, $after: String) {
              navs(where: {isComplete: {eq: false}}, asOf: $asOf, first: 50, after: $after) {
                totalCount
                pageInfo {
                  hasNextPage
                  endCursor
                }
                nodes {
                  portfolio {
                    code
                    name
                  }
                  navBase
                  baseCurrencyCode
                  positions
                  positionsValued
                  positionsFlagged
                  reportedValue
                  reportedCurrencyCode
                  trust {
                    verdict
                    stalenessDays
                    warnings
                  }
                  explain {
                    calculation
                    inputs {
                      role
                      label
                      value
                      currencyCode
                      rows
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"asOf": as_of, "after": after}
        response = self.execute(
            query=query, operation_name="IncompleteNavs", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return IncompleteNavs.model_validate(data)

    def instrument_page(
        self, isin: str, as_of: Union[Optional[date], UnsetType] = UNSET, **kwargs: Any
    ) -> InstrumentPage:
        query = gql("""
            query InstrumentPage($isin: String!, $asOf: Date) {
              instrument(by: {isin: $isin}, asOf: $asOf) {
                code
                name
                assetClassCode
                currencyCode
                identifiers {
                  scheme
                  value
                  validFrom
                  validTo
                }
                issuer {
                  code
                  name
                  lei
                }
                latestPrice {
                  businessDate
                  typeCode
                  sourceCode
                  price
                  currencyCode
                  trust {
                    stalenessDays
                  }
                }
                prices(first: 10) {
                  nodes {
                    businessDate
                    typeCode
                    sourceCode
                    price
                    currencyCode
                  }
                }
                holders(first: 20) {
                  totalCount
                  nodes {
                    code
                    name
                  }
                }
                history(first: 5) {
                  nodes {
                    knownAt
                    changed
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"isin": isin, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="InstrumentPage", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return InstrumentPage.model_validate(data)

    def number_explained(
        self,
        portfolio: str,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        known_at: Union[Optional[datetime], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> NumberExplained:
        query = gql("""
            query NumberExplained($portfolio: String!, $asOf: Date, $knownAt: DateTime) {
              portfolio(code: $portfolio, asOf: $asOf, knownAt: $knownAt) {
                code
                nav {
                  navBase
                  baseCurrencyCode
                  explain {
                    calculation
                  }
                }
                valuations(first: 1, orderBy: MARKET_VALUE_BASE_DESC) {
                  nodes {
                    instrument {
                      code
                      name
                    }
                    marketValueBase
                    baseCurrencyCode
                    statusCode
                    trust {
                      verdict
                      publication
                      knownAt
                      stalenessDays
                      warnings
                    }
                    explain {
                      calculation
                      inputs {
                        role
                        label
                        value
                        currencyCode
                        businessDate
                        file
                        sha256
                        sourceRow
                        publication
                        verdict
                      }
                    }
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "portfolio": portfolio,
            "asOf": as_of,
            "knownAt": known_at,
        }
        response = self.execute(
            query=query, operation_name="NumberExplained", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return NumberExplained.model_validate(data)

    def portfolio_page(
        self,
        portfolio: str,
        by: Union[Optional[ExposureDimension], UnsetType] = UNSET,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> PortfolioPage:
        query = gql("""
            query PortfolioPage($portfolio: String!, $by: ExposureDimension = ASSET_CLASS, $asOf: Date) {
              portfolio(code: $portfolio, asOf: $asOf) {
                code
                name
                kindCode
                riskLevelCode
                parent {
                  code
                }
                descendants(first: 10) {
                  nodes {
                    code
                    name
                    kindCode
                  }
                }
                benchmark {
                  code
                  name
                }
                shareClasses {
                  nodes {
                    code
                    isin
                    currencyCode
                  }
                }
                latestNav {
                  businessDate
                  navBase
                  baseCurrencyCode
                  isComplete
                  trust {
                    stalenessDays
                    warnings
                  }
                }
                navHistory(first: 10) {
                  nodes {
                    businessDate
                    navBase
                    baseCurrencyCode
                  }
                }
                exposure(by: $by) {
                  nodes {
                    code
                    name
                    valueBase
                    baseCurrencyCode
                    weightPct
                    positions
                    isComplete
                  }
                }
                largest: exposure(by: INSTRUMENT, first: 10) {
                  nodes {
                    valueBase
                    baseCurrencyCode
                    weightPct
                    instrument {
                      code
                      name
                      isin
                    }
                  }
                }
                transactions(first: 10) {
                  nodes {
                    businessDate
                    code
                    kindCode
                    quantity
                    netAmount
                    currencyCode
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"portfolio": portfolio, "by": by, "asOf": as_of}
        response = self.execute(
            query=query, operation_name="PortfolioPage", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return PortfolioPage.model_validate(data)

    def publication_effects(self, number: int, **kwargs: Any) -> PublicationEffects:
        query = gql("""
            query PublicationEffects($number: Int!) {
              publication(number: $number) {
                number
                knownAt
                feed
                target
                verdict
                rowsPublished
                rowsSuperseded
                businessDateFrom
                businessDateTo
                delivery {
                  fileName
                  sha256
                  outcome
                }
                supersedes(first: 10) {
                  nodes {
                    number
                    feed
                    knownAt
                  }
                }
                portfolios(first: 10) {
                  totalCount
                  nodes {
                    code
                  }
                }
                instruments(first: 10) {
                  totalCount
                  nodes {
                    code
                  }
                }
                clients(first: 10) {
                  totalCount
                  nodes {
                    code
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"number": number}
        response = self.execute(
            query=query,
            operation_name="PublicationEffects",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return PublicationEffects.model_validate(data)

    def stale_prices(
        self,
        statuses: list[str],
        as_of: Union[Optional[date], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> StalePrices:
        query = gql("""
            query StalePrices($statuses: [String!]!, $asOf: Date, $after: String) {
              valuations(
                where: {statusCode: {in: $statuses}}
                asOf: $asOf
                first: 50
                after: $after
              ) {
                totalCount
                pageInfo {
                  hasNextPage
                  endCursor
                }
                nodes {
                  portfolio {
                    code
                  }
                  instrument {
                    code
                    name
                  }
                  statusCode
                  quantity
                  price
                  priceCurrencyCode
                  priceDate
                  priceSourceCode
                  marketValueBase
                  baseCurrencyCode
                  trust {
                    stalenessDays
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "statuses": statuses,
            "asOf": as_of,
            "after": after,
        }
        response = self.execute(
            query=query, operation_name="StalePrices", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StalePrices.model_validate(data)

    def trusted_nav(
        self,
        portfolio: str,
        trust: RequireTrust,
        as_of: Union[Optional[date], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> TrustedNav:
        query = gql("""
            query TrustedNav($portfolio: String!, $trust: RequireTrust!, $asOf: Date) {
              portfolio(code: $portfolio, asOf: $asOf, requireTrust: $trust) {
                code
                name
                nav {
                  businessDate
                  navBase
                  baseCurrencyCode
                  positions
                  positionsValued
                  trust {
                    verdict
                    stalenessDays
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "portfolio": portfolio,
            "trust": trust,
            "asOf": as_of,
        }
        response = self.execute(
            query=query, operation_name="TrustedNav", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return TrustedNav.model_validate(data)
