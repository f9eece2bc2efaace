-- What the database says of a record is a part of the text that is hashed: its id, its place in the order of insertion and
-- the moment by the database's own clock. `_` sorts before every key of ours, so the text stays canonical (RFC 8785).
create function audit_stamp(p_event_id uuid, p_insert_no bigint, p_recorded_at timestamptz) returns text
language sql stable as $$
  select '{"_eventId":"' || p_event_id || '","_insertNo":' || p_insert_no || ',"_recordedAt":"'
    || to_char(p_recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '",'
$$;

create function stamp_audit_event() returns trigger
language plpgsql as $$
begin
  new.body := audit_stamp(new.event_id, new.insert_no, new.recorded_at) || substr(new.body, 2);
  return new;
end $$;
create trigger audit_event_stamped before insert on audit_event
  for each row execute function stamp_audit_event();

-- As before: the same event again is a no-op, with another body an error. The stamp is the first one's.
create or replace function record_event(p_event_id uuid, p_event_type text, p_trade_id text, p_body text) returns void
language plpgsql as $$
declare
  existing audit_event;
begin
  insert into audit_event (event_id, event_type, trade_id, body)
  values (p_event_id, p_event_type, p_trade_id, p_body)
  on conflict (event_id) do nothing;
  if not found then
    select * into existing from audit_event where event_id = p_event_id;
    if existing.body is distinct from
       audit_stamp(existing.event_id, existing.insert_no, existing.recorded_at) || substr(p_body, 2) then
      raise exception 'EVENT_CONFLICT: event % exists with another body', p_event_id
        using errcode = 'RA001', detail = p_event_id::text;
    end if;
  end if;
end $$;

-- Which folder outside of the database has the note: what that folder has confirmed it must still have at the next start.
alter table audit_checkpoint add column kept_in uuid;
