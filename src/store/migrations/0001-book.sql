-- The book: what money is committed to, and what may be sent. Times are epoch milliseconds. Decimals inside
-- json are text: a number there would come back as a float.

create table account (
  account_id    text primary key,
  venue         text   not null,
  currency      text   not null,                 -- equity, limits and P&L totals are in this asset
  equity        numeric,
  equity_at_ms  bigint,
  equity_fault  text,                            -- why the last reading has no equity, e.g. an asset nobody can convert
  limits        jsonb  not null,
  limits_version bigint not null default 1
);

create table balance (
  account_id text    not null references account,
  asset      text    not null,
  free       numeric not null,
  locked     numeric not null,
  observed_at_ms bigint not null,
  primary key (account_id, asset)
);

-- One row a trade id, for ever: the first committed decision and the hash of its input.
create table trade (
  trade_id       text   primary key,
  request_hash   text   not null,
  request        jsonb  not null,
  account_id     text   not null references account,
  strategy       text   not null,
  venue          text   not null,
  decision       text   not null check (decision in ('approved', 'denied')),
  decision_body  jsonb  not null,
  decided_at_ms  bigint not null,
  decided_by_run text   not null,
  phase          text   not null check
    (phase in ('denied', 'placing', 'working', 'open', 'closing', 'closed', 'unfilled')),
  entry_ended_at_ms bigint,                      -- the entry orders are terminal: nothing can fill any more
  opened_at_ms   bigint,
  closed_at_ms   bigint,
  exit_reason    text,
  result         jsonb                           -- once closed: pnl, fees, dust, with their arithmetic
);
create index trade_by_account on trade (account_id, decided_at_ms desc);
create index trade_live on trade (account_id) where phase in ('placing', 'working', 'open', 'closing');

-- reserved = posted + voided + pending, in quantity; pending money is pending quantity x price.
create table reservation (
  trade_id   text     not null references trade,
  leg        smallint not null,
  account_id text     not null,
  strategy   text     not null,
  symbol     text     not null,
  side       text     not null check (side in ('BUY', 'SELL')),
  price      numeric  not null check (price > 0),
  unit_delta numeric  not null,
  unit_gamma numeric  not null default 0,
  quantity        numeric not null check (quantity > 0),
  posted_quantity numeric not null default 0 check (posted_quantity >= 0),
  voided_quantity numeric not null default 0 check (voided_quantity >= 0),
  void_reason     text,
  reserved_at_ms  bigint not null,
  primary key (trade_id, leg),
  check (posted_quantity + voided_quantity <= quantity)
);
create index reservation_pending on reservation (account_id) where posted_quantity + voided_quantity < quantity;

-- A leg's position, folded from the fills in the transaction that adds them.
create table position (
  trade_id   text     not null references trade,
  leg        smallint not null,
  account_id text     not null,
  strategy   text     not null,
  symbol     text     not null,
  side       text     not null check (side in ('long', 'short')),
  unit_delta numeric  not null,
  unit_gamma numeric  not null default 0,
  entry_quantity numeric not null default 0,
  entry_quote    numeric not null default 0,
  exit_quantity  numeric not null default 0,
  exit_quote     numeric not null default 0,
  base_fee       numeric not null default 0,     -- fees taken in the base asset: less to sell
  quote_fee      numeric not null default 0,     -- fees in the quote asset, and others at the fill's price
  is_open        boolean not null default true,
  primary key (trade_id, leg)
);
create index position_open on position (account_id) where is_open;

create table orders (
  client_order_id text     primary key,
  trade_id        text     not null references trade,
  leg             smallint not null,
  purpose         text     not null check (purpose in ('entry', 'exit')),
  generation      integer  not null check (generation >= 1),
  account_id      text     not null,
  venue           text     not null,
  symbol          text     not null,
  side            text     not null check (side in ('BUY', 'SELL')),
  order_type      text     not null check (order_type in ('MARKET', 'LIMIT')),
  time_in_force   text     check (time_in_force in ('GTC', 'IOC', 'FOK')),
  quantity        numeric  not null check (quantity > 0),
  limit_price     numeric  check (limit_price > 0),
  status          text     not null check (status in
    ('pendingNew', 'new', 'partiallyFilled', 'filled', 'canceled', 'rejected', 'expired', 'denied', 'parked')),
  -- Some send has no definite answer yet. It stays true whatever later sends say, until a look-up settles it.
  in_doubt        boolean  not null default false,
  send_epoch      integer  not null default 1,
  intent_at_ms    bigint   not null,             -- the timestamp every send of this epoch is signed with
  recv_window_ms  integer  not null,
  venue_order_id  text,
  reported_quantity numeric not null default 0,  -- cumulative, as the venue says
  reported_quote    numeric not null default 0,
  filled_quantity numeric  not null default 0,   -- sum over the set of fills
  filled_quote    numeric  not null default 0,
  reason_code     text,
  reason          text,
  revision        integer  not null default 0,   -- counts the changes, so that each has an identity
  created_at_ms   bigint   not null,
  updated_at_ms   bigint   not null,
  unique (trade_id, leg, purpose, generation),
  check ((order_type = 'LIMIT') = (limit_price is not null))
);
create index orders_working on orders (account_id, venue)
  where status in ('pendingNew', 'new', 'partiallyFilled', 'parked') or in_doubt;

-- One row a send. An epoch without an outcome was perhaps sent: nobody can know.
create table order_send (
  client_order_id text    not null references orders,
  send_epoch      integer not null,
  signed_at_ms    bigint  not null,
  outcome         text    check
    (outcome in ('ACCEPTED', 'NOT_SENT', 'REJECTED', 'THROTTLED', 'UNKNOWN', 'FATAL_CONFIG')),
  http_status     integer,
  venue_code      integer,
  detail          text,
  finished_at_ms  bigint,
  primary key (client_order_id, send_epoch)
);

-- A set, keyed by the venue's trade id.
create table fill (
  account_id      text    not null,
  venue           text    not null,
  symbol          text    not null,
  venue_trade_id  text    not null,
  client_order_id text    not null references orders,
  trade_id        text    not null,
  side            text    not null check (side in ('BUY', 'SELL')),
  quantity        numeric not null check (quantity > 0),
  price           numeric not null check (price > 0),
  quote_quantity  numeric not null,
  fee             numeric not null,
  fee_asset       text    not null,
  fee_asset_price numeric,                       -- in the quote asset; of a third asset whose price was known
  is_maker        boolean not null,
  transacted_at_ms bigint not null,
  observed_at_ms  bigint  not null,
  -- With its side, because the two orders of a trade with oneself share the venue's trade id.
  primary key (account_id, venue, symbol, venue_trade_id, side)
);
create index fill_by_order on fill (client_order_id);
create index fill_by_trade on fill (trade_id);

-- One a trade: whoever asks second finds the first.
create table exit_request (
  trade_id        text   primary key references trade,
  reason          text   not null,
  source          text   not null,
  actor           text,
  trigger         jsonb,
  requested_at_ms bigint not null
);

-- Every message from here to a workflow. A row is written in the transaction that made it true.
create table outbox (
  message_id    bigint generated always as identity primary key,
  trade_id      text,
  workflow_id   text   not null,
  action        text   not null check (action in ('signal', 'signalWithStart', 'start')),
  workflow_type text,
  task_queue    text,
  start_args    jsonb,
  signal_name   text,
  signal_args   jsonb,
  summary       text,
  created_at_ms bigint not null,
  attempts      integer not null default 0,
  next_attempt_at_ms bigint not null default 0,
  settled_at_ms bigint,
  outcome       text check (outcome in ('delivered', 'target-gone'))
);
create index outbox_open on outbox (next_attempt_at_ms) where settled_at_ms is null;
create index outbox_pokes on outbox (workflow_id, created_at_ms) where signal_name = 'poke';

create function announce_outbox() returns trigger language plpgsql as $$
begin
  perform pg_notify('ratchet_outbox', '');
  return null;
end $$;
create trigger outbox_announced after insert on outbox for each statement execute function announce_outbox();

-- An operator's request, kept so that the same one again changes nothing.
create table command (
  command_id    text   primary key,
  kind          text   not null,
  body_hash     text   not null,
  result        jsonb  not null,
  made_at_ms    bigint not null
);

create table alert (
  alert_id     bigint generated always as identity primary key,
  condition_key text  not null,                  -- what lasts: the same condition is one alert
  code         text   not null,
  severity     text   not null check (severity in ('CRITICAL', 'WARNING', 'INFO')),
  message      text   not null,
  context      jsonb  not null,
  raised_at_ms bigint not null,
  resolved_at_ms bigint
);
create unique index alert_lasting on alert (condition_key) where resolved_at_ms is null;

create table api_key (
  key_id      text   primary key,
  key_sha256  text   not null unique,
  label       text   not null,
  scopes      text[] not null,
  created_at_ms bigint not null,
  revoked_at_ms bigint
);
