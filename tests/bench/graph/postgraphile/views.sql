-- The tables as PostGraphile is to show them, in a schema of their own: what holds now, with the relations named.
-- {schema}, {name} and {email} are filled in by `peer.py`: with masks, the two columns are expressions.
drop schema if exists {schema} cascade;
create schema {schema};

create view {schema}.client with (security_invoker) as
  select i.client_id, i.client_code, {name} as client_name, {email} as email, v.risk_class_code
  from core.client i join core.client_version v using (client_id)
  where v.superseded_in is null and v.valid_from <= current_date
    and (v.valid_to is null or current_date < v.valid_to);

create view {schema}.portfolio with (security_invoker) as
  select i.portfolio_id, i.portfolio_code, v.portfolio_name, v.portfolio_kind_code, v.base_currency_code,
    v.risk_level_code, v.client_id
  from core.portfolio i join core.portfolio_version v using (portfolio_id)
  where v.superseded_in is null and v.valid_from <= current_date
    and (v.valid_to is null or current_date < v.valid_to);

create view {schema}.instrument with (security_invoker) as
  select i.instrument_id, i.instrument_code, v.instrument_name, v.asset_class_code, v.currency_code
  from core.instrument i join core.instrument_version v using (instrument_id)
  where v.superseded_in is null and v.valid_from <= current_date
    and (v.valid_to is null or current_date < v.valid_to);

create view {schema}.holding with (security_invoker) as
  select portfolio_id, business_date, instrument_id, position_code, quantity, market_value, currency_code
  from core.holding where superseded_in is null;

create view {schema}.price with (security_invoker) as
  select instrument_id, business_date, price_type_code, source_code, price
  from core.price where superseded_in is null;

create function {schema}.instrument_latest_price(i {schema}.instrument) returns {schema}.price
language sql stable parallel safe as $$
  select p from {schema}.price p where p.instrument_id = i.instrument_id
  order by p.business_date desc, p.price_type_code, p.source_code limit 1
$$;

create view {schema}.exposure with (security_invoker) as
  select h.portfolio_id, h.business_date, v.asset_class_code, h.currency_code,
    count(*)::integer as positions, sum(h.market_value) as market_value
  from core.holding h
  join core.instrument_version v on v.instrument_id = h.instrument_id and v.superseded_in is null
    and v.valid_from <= current_date and (v.valid_to is null or current_date < v.valid_to)
  where h.superseded_in is null
  group by h.portfolio_id, h.business_date, v.asset_class_code, h.currency_code;

create function {schema}.portfolio_holdings_known(p {schema}.portfolio, known_at timestamptz, day date)
returns setof {schema}.holding language sql stable rows 500 parallel safe as $$
  select h.portfolio_id, h.business_date, h.instrument_id, h.position_code, h.quantity, h.market_value, h.currency_code
  from core.holding h,
    (select publication_id as n from governance.publication where publication.known_at <= $2
     order by publication.known_at desc limit 1) v
  where h.portfolio_id = p.portfolio_id and h.business_date = $3
    and h.published_in <= v.n and (h.superseded_in is null or h.superseded_in > v.n)
  order by h.instrument_id, h.position_code
$$;

comment on view {schema}.client is E'@primaryKey client_id\n@unique client_code';
comment on view {schema}.portfolio is E'@primaryKey portfolio_id\n@unique portfolio_code\n@foreignKey (client_id) references {schema}.client (client_id)|@fieldName client|@foreignFieldName portfolios|@foreignSimpleFieldName portfolios';
comment on view {schema}.instrument is E'@primaryKey instrument_id\n@unique instrument_code';
comment on view {schema}.holding is E'@primaryKey portfolio_id,business_date,instrument_id,position_code\n@foreignKey (portfolio_id) references {schema}.portfolio (portfolio_id)|@fieldName portfolio|@foreignFieldName holdings|@foreignSimpleFieldName holdings\n@foreignKey (instrument_id) references {schema}.instrument (instrument_id)|@fieldName instrument|@foreignFieldName holdings|@foreignSimpleFieldName holdings';
comment on view {schema}.exposure is E'@primaryKey portfolio_id,business_date,asset_class_code,currency_code\n@foreignKey (portfolio_id) references {schema}.portfolio (portfolio_id)|@fieldName portfolio|@foreignFieldName exposures|@foreignSimpleFieldName exposures';

grant usage on schema {schema} to fulcrum_api, fulcrum_loader;
grant select on all tables in schema {schema} to fulcrum_api, fulcrum_loader;
