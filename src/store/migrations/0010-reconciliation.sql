-- The book against the venue: what is expected there, what differs, and what people decide about it.

-- One row an account. `version` is raised by whatever changes what a look is compared with, so that a look that was
-- taken before is not believed after.
create table reconciliation (
  account_id      text    primary key references account,
  version         bigint  not null default 0,
  folded_until_ms bigint  not null,               -- expected balances hold every fill observed before
  has_baseline    boolean not null default false, -- the balances of the beginning were read
  looked_at_ms    bigint,                         -- when the latest look that is committed began
  completed_at_ms bigint,                         -- the last run that could read every part
  clean_at_ms     bigint,                         -- the last of those that found no difference
  last_run        jsonb
);

-- What the venue has to have of an asset, before the fills that are not folded in yet.
create table expected_balance (
  account_id text    not null references account,
  asset      text    not null,
  quantity   numeric not null,
  primary key (account_id, asset)
);

-- What our fills added to the account's balances, and what they took. A fee counts in the asset it was taken in.
create view balance_flow as
  select account_id, observed_at_ms, transacted_at_ms, venue_trade_id, asset, change
  from fill, lateral (values
    (split_part(symbol, '/', 1), case side when 'BUY' then quantity else -quantity end),
    (split_part(symbol, '/', 2), case side when 'BUY' then -quote_quantity else quote_quantity end),
    (fee_asset, -fee)) as flow (asset, change)
  where change <> 0;
create index fill_by_observation on fill (account_id, observed_at_ms);
create index fill_by_transaction on fill (account_id, transacted_at_ms);

create table difference (
  difference_id  bigint  generated always as identity primary key,
  account_id     text    not null references account,
  difference_key text    not null,
  content        jsonb   not null,
  revision       integer not null default 1,      -- counts the contents
  found_at_ms    bigint  not null,
  changed_at_ms  bigint  not null,
  ended_at_ms    bigint,
  ending         text    check (ending in ('gone', 'corrected')),
  check ((ended_at_ms is null) = (ending is null))
);
create unique index difference_lasting on difference (account_id, difference_key) where ended_at_ms is null;
create index difference_corrected on difference (account_id, difference_key) where ending = 'corrected';

-- One content of a difference, put before a person. It is decided once.
create table correction (
  correction_id  text   primary key,
  difference_id  bigint not null references difference,
  account_id     text   not null,
  kind           text   not null check (kind in ('acceptBalance', 'writeOff', 'endOrder', 'acknowledge')),
  content        jsonb  not null,
  state          text   not null check (state in ('proposed', 'applied', 'rejected', 'expired', 'superseded')),
  proposed_at_ms bigint not null,
  expires_at_ms  bigint not null,
  settled_at_ms  bigint,
  actor          text,
  reason         text
);
create unique index correction_proposed on correction (difference_id) where state = 'proposed';
create index correction_by_account on correction (account_id, proposed_at_ms desc);

-- What a person found to be gone from the venue: as with a fee in the base asset, there is that much less to sell.
alter table position add column written_off_quantity numeric not null default 0 check (written_off_quantity >= 0);

-- As before, but that what was written off can't be sold.
create or replace function commit_exit_intent(p_order jsonb, p_event_id uuid, p_body text) returns intent_result
language plpgsql as $$
declare
  wanted orders := jsonb_populate_record(null::orders, p_order);
  bought numeric;
  spoken_for numeric;
begin
  perform 1 from trade where trade_id = wanted.trade_id for no key update;
  if exists (select 1 from orders where client_order_id = wanted.client_order_id) then
    return ('existing', null, null)::intent_result;
  end if;
  select entry_quantity - base_fee - written_off_quantity into bought
    from position where trade_id = wanted.trade_id and leg = wanted.leg;
  -- An order that can still fill counts in full, one that is closed with what it filled. A parked exit counts only its
  -- fills: it was presumed dead after its fence, and the position must not stay open for it.
  select coalesce(sum(case when status in ('pendingNew', 'new', 'partiallyFilled') then quantity
                           else greatest(filled_quantity, reported_quantity) end), 0)
    into spoken_for from orders
    where trade_id = wanted.trade_id and leg = wanted.leg and purpose in ('exit', 'stop');
  if spoken_for + wanted.quantity > coalesce(bought, 0) then
    return ('exceeds-position', null, greatest(coalesce(bought, 0) - spoken_for, 0))::intent_result;
  end if;
  perform insert_intent(wanted, p_event_id, 'ExitIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;
