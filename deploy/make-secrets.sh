#!/bin/sh
# Makes the secrets that docker-compose.yml hands to the containers, once: sh deploy/make-secrets.sh [folder]
# Only this user can enter the folder. The files themselves are readable, because each container has a user of its own.
set -eu
umask 022
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Keeps what is there: a database keeps the password that it was made with.
keep() {
  [ -s "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}

for name in postgres-password temporal-password owner-password application-password paper-api-key paper-api-secret; do
  keep "$name" "$(random)"
done
keep database-owner-url "postgresql://ratchet_owner:$(cat "$folder/owner-password")@postgres:5432/ratchet"
keep database-url "postgresql://ratchet_app:$(cat "$folder/application-password")@postgres:5432/ratchet"
echo "the secrets are in $folder"
