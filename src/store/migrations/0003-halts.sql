-- The trading state is the set of holds in force; the strictest that applies wins.

-- Raised by every change of any hold, so that who lifts one can say which state of it was seen.
create sequence hold_version;

create table hold (
  hold_id       text   primary key,
  scope_kind    text   not null check (scope_kind in ('all', 'account', 'strategy', 'symbol')),
  scope_id      text   not null,                  -- '*' for 'all'
  source        text   not null check (source in ('operator', 'breaker', 'venue')),
  level         text   not null check (level in ('entries-blocked', 'frozen', 'flatten')),
  version       bigint not null default nextval('hold_version'),
  actor         text   not null,
  reason        text   not null,
  set_at_ms     bigint not null,
  expires_at_ms bigint,
  lifted_at_ms  bigint,
  lifted_by     text,
  lift_reason   text
);
-- Each source has at most one hold in force on a scope: setting it again joins, lifting it is compare-and-set.
create unique index hold_in_force on hold (scope_kind, scope_id, source) where lifted_at_ms is null;

-- Outcomes the breaker folds: written in the transaction of the result. Ids are given before the commit, so a lower one
-- can become visible later: each row says itself whether it was folded.
create table breaker_outcome (
  outcome_id bigint generated always as identity primary key,
  scope      text   not null,                     -- 'account-<id>'
  kind       text   not null check (kind in ('failure', 'success')),
  cause      text   not null,
  client_order_id text,
  at_ms      bigint not null,
  is_applied boolean not null default false
);
create index breaker_outcome_unapplied on breaker_outcome (scope, outcome_id) where not is_applied;

create table breaker (
  scope   text   primary key,
  state   jsonb  not null,                        -- the pure machine's state after the applied outcomes
  version bigint not null default 0
);

-- A probe that the gate let through while the breaker is HALF_OPEN. It counts until it reports or expires.
create table breaker_probe (
  scope         text   not null,
  trade_id      text   not null references trade,
  half_open_at_ms bigint not null,
  expires_at_ms bigint not null,
  primary key (scope, trade_id)
);
