-- Several records in one statement, in their order. Only where one of them is there already is each looked at by itself: the
-- same event is a no-op, with another body an error.
create function record_events(p_event_ids uuid[], p_event_types text[], p_trade_ids text[], p_bodies text[]) returns void
language plpgsql as $$
declare
  added bigint;
begin
  insert into audit_event (event_id, event_type, trade_id, body)
  select event_id, event_type, trade_id, body
  from unnest(p_event_ids, p_event_types, p_trade_ids, p_bodies) with ordinality
    as event (event_id, event_type, trade_id, body, place)
  order by place
  on conflict (event_id) do nothing;
  get diagnostics added = row_count;
  if added < cardinality(p_event_ids) then
    perform record_event(event_id, event_type, trade_id, body)
    from unnest(p_event_ids, p_event_types, p_trade_ids, p_bodies) as event (event_id, event_type, trade_id, body);
  end if;
end $$;

-- A record has no number until it is sealed, and an index of all those that have none is long and of no use.
alter table audit_event drop constraint audit_event_seq_key;
create unique index audit_by_seq on audit_event (seq) where seq is not null;
