-- Whoever may set a hold. Each lifts only its own.
alter table hold drop constraint hold_source_check;
alter table hold add constraint hold_source_check
  check (source in ('operator', 'breaker', 'venue', 'reconciliation', 'throttle'));

-- What makes two entries the same to the throttle: strategy, symbols, sides and quantities.
alter table trade add column fingerprint text;
create index trade_repeated on trade (account_id, fingerprint, decided_at_ms) where decision = 'approved';
create index trade_approved on trade (account_id, decided_at_ms) where decision = 'approved';

-- One row for each venue that a hold of level frozen or flatten has to clear of entry orders. Whoever has the lease
-- works on it: the lifecycle cancelAll, a worker while Temporal is away, or the command line.
create table cancel_sweep (
  hold_version  bigint not null,                 -- of the hold when it was set: the epoch of the sweep
  venue         text   not null,
  hold_id       text   not null,
  level         text   not null check (level in ('frozen', 'flatten')),
  scope_kind    text   not null check (scope_kind in ('all', 'account', 'strategy', 'symbol')),
  scope_id      text   not null,
  state         jsonb  not null,                 -- the pure machine's state after the last look
  canceled      integer not null default 0,      -- orders that ended by its cancels
  not_flat      text[] not null default '{}',    -- of a flatten: trades that are not flat yet
  holder        text,
  lease_until_ms bigint not null default 0,
  next_look_at_ms bigint not null,
  ended_at_ms   bigint,
  outcome       text check (outcome in ('clear', 'withdrawn')),
  primary key (hold_version, venue)
);
create index cancel_sweep_open on cancel_sweep (next_look_at_ms) where ended_at_ms is null;

-- How many people a loosening needs: one row, written at start from the configuration.
create table approval_policy (
  id            integer primary key default 1 check (id = 1),
  people_needed integer not null check (people_needed between 1 and 5),
  version       integer not null default 1
);

-- What waits for a second person, bound to the hash of exactly this request.
create table approval (
  approval_id     text   primary key,
  kind            text   not null check (kind in ('resume', 'limits')),
  request         jsonb  not null,
  request_hash    text   not null,
  people_needed   integer not null,
  requested_at_ms bigint not null,
  expires_at_ms   bigint not null,
  applied_at_ms   bigint
);
create index approval_waiting on approval (expires_at_ms) where applied_at_ms is null;

create table approval_vote (
  approval_id text   not null references approval,
  key_id      text   not null references api_key,
  person      text   not null,
  reason      text   not null,
  voted_at_ms bigint not null,
  primary key (approval_id, key_id)
);
