-- What the eyes of all positions look at, and who is looking.

create table watch_shard (
  shard          text   primary key,              -- '<venue>-<n>'
  watch_epoch    bigint not null default 0,       -- raised by each attempt of the watch; every write names it
  holder         text,
  lease_until_ms bigint not null default 0
);

-- Up to which trade every guard on the symbol that is acknowledged has seen all. It may go back: a guard that is armed
-- later has to catch up.
create table watch_cursor (
  shard          text   not null references watch_shard,
  symbol         text   not null,
  venue_trade_id bigint not null,
  observed_at_ms bigint not null,
  primary key (shard, symbol)
);

create table guard (
  trade_id       text     not null references trade,
  leg            smallint not null,
  kind           text     not null check (kind in ('stopLoss', 'takeProfit', 'trailingStop')),
  shard          text     not null references watch_shard,
  symbol         text     not null,
  version        integer  not null,               -- raised by every amendment
  acknowledged_version integer not null default 0, -- armed means: the watch has taken this version up
  terms          jsonb    not null,               -- what was asked for, prices resolved
  state          jsonb    not null,               -- the pure machine's state
  since_venue_trade_id bigint not null,           -- the state is that after this trade; later ones have to be seen
  covered_from   bigint,                          -- the cursor when it was acknowledged: only a later one speaks for it
  armed_at_ms    bigint   not null,
  triggered_at_ms bigint,
  triggered_price numeric,
  disarmed_at_ms bigint,
  primary key (trade_id, leg, kind)
);
create index guard_armed on guard (shard) where disarmed_at_ms is null and triggered_at_ms is null;
