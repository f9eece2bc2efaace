#!/bin/sh
# Run once by the PostgreSQL image, when its volume is empty: a role and a database each for Ratchet and for Temporal.
# The role that works in Ratchet's database is made by the set-up, with no more rights than it needs.
set -eu
secrets=${SECRETS:-/run/secrets}
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v owner_password="$(cat "$secrets/owner-password")" \
  -v temporal_password="$(cat "$secrets/temporal-password")" <<'SQL'
create role ratchet_owner login createrole password :'owner_password';
create database ratchet owner ratchet_owner;
create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
