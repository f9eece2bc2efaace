#!/bin/sh
# Brings Temporal's two databases to the schema of this version of the server; run again, it changes nothing.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal-password)
export SQL_PASSWORD

for database in temporal temporal_visibility; do
  tool="temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --db $database"
  # Setting up a schema that is there would be refused; a version of it can only be read where it is.
  $tool setup-schema -v 0.0 || echo "$database has a schema already"
  $tool update-schema -d "/etc/temporal/schema/postgresql/v12/${database#temporal_}/versioned"
done
