-- The record: append-only, hash-chained by the sealer. `body` is canonical JSON (RFC 8785); the stored text is what
-- is hashed. leaf = SHA256(0x00 || body), hash = SHA256(0x02 || seq_be64 || prev || leaf).

create table audit_event (
  insert_no   bigint generated always as identity primary key,
  event_id    uuid   not null unique,
  event_type  text   not null,
  trade_id    text,
  body        text   not null,
  recorded_at timestamptz not null default clock_timestamp(),
  seq         bigint unique,
  prev        bytea,
  leaf        bytea,
  hash        bytea
);
create index audit_unsealed on audit_event (insert_no) where seq is null;
create index audit_by_trade on audit_event (trade_id, insert_no);

create table audit_head (
  log_id text   primary key,
  seq    bigint not null,
  hash   bytea  not null
);
insert into audit_head values ('ratchet', 0, '\x0000000000000000000000000000000000000000000000000000000000000000');

create table audit_checkpoint (
  size      bigint primary key,
  root      bytea  not null,
  head_hash bytea  not null,
  peaks     bytea[] not null,                     -- roots of the full subtrees, largest first: enough to go on from
  note      text   not null,                      -- the signed note, as it is kept outside the database too
  signed_at timestamptz not null default clock_timestamp()
);

-- An id that exists with the same body is a no-op, with another body an error: nothing is recorded twice or rewritten.
create function record_event(p_event_id uuid, p_event_type text, p_trade_id text, p_body text) returns void
language plpgsql as $$
declare
  existing text;
begin
  insert into audit_event (event_id, event_type, trade_id, body)
  values (p_event_id, p_event_type, p_trade_id, p_body)
  on conflict (event_id) do nothing;
  if not found then
    select body into existing from audit_event where event_id = p_event_id;
    if existing is distinct from p_body then
      raise exception 'EVENT_CONFLICT: event % exists with another body', p_event_id using errcode = 'RA001';
    end if;
  end if;
end $$;

-- Gives committed records their place in the chain, in order of insertion. One sealer at a time, nobody waits.
create function seal_events(p_limit integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  head   audit_head;
  event  record;
  sealed integer := 0;
begin
  select * into head from audit_head where log_id = 'ratchet' for update skip locked;
  if not found then return 0; end if;
  for event in
    select insert_no, sha256('\x00'::bytea || convert_to(body, 'UTF8')) as leaf
    from audit_event where seq is null order by insert_no limit p_limit
  loop
    head.seq := head.seq + 1;
    update audit_event
      set seq = head.seq, prev = head.hash, leaf = event.leaf,
          hash = sha256('\x02'::bytea || int8send(head.seq) || head.hash || event.leaf)
      where insert_no = event.insert_no
      returning hash into head.hash;
    sealed := sealed + 1;
  end loop;
  if sealed > 0 then
    update audit_head set seq = head.seq, hash = head.hash where log_id = 'ratchet';
  end if;
  return sealed;
end $$;

-- The only change a record ever sees is its sealing.
create function refuse_audit_change() returns trigger
language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.seq is null and new.seq is not null
     and (new.insert_no, new.event_id, new.event_type, new.trade_id, new.body, new.recorded_at) is not distinct from
         (old.insert_no, old.event_id, old.event_type, old.trade_id, old.body, old.recorded_at) then
    return new;
  end if;
  raise exception 'AUDIT_IMMUTABLE: % on audit_event is refused', tg_op using errcode = 'RA002';
end $$;
create trigger audit_event_immutable before update or delete on audit_event
  for each row execute function refuse_audit_change();
create trigger audit_event_untruncatable before truncate on audit_event
  for each statement execute function refuse_audit_change();
