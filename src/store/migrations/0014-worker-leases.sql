-- Who works on this book at the moment, with which build and which payload keys. By the database's clock, so that
-- workers of several machines agree on who lives.
create table worker_lease (
  worker           text primary key,
  build            text not null,
  -- Null where payloads are not encrypted.
  writes_key       text,
  reads_keys       text[] not null,
  leased_until     timestamptz not null
);
