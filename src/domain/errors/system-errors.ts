import type { CatalogEntry } from './catalog-entry.ts';

/** The configuration, the database and the record. */
export const systemErrors = {
  CONFIG_INVALID: {
    retryable: false,
    summary: 'The configuration does not hold together.',
    remedy: 'Mend every setting that is named; docs/settings.md lists them with unit, default and meaning.',
  },
  LIMITS_FILE_INVALID: {
    retryable: false,
    summary: "The account's limits do not hold together.",
    remedy:
      'Mend every limit that is named, in the file that RATCHET_LIMITS_FILE names; `none` is allowed for the cap only.',
  },
  LIVE_MODE_UNAVAILABLE: {
    retryable: false,
    summary:
      'Live trading is refused: no start proves yet that limits are confirmed, keys can not withdraw and the book is clean.',
    remedy: 'Set RATCHET_MODE=paper.',
  },
  PAPER_MODE_LIVE_VENUE: {
    retryable: false,
    summary: 'Paper mode is pointed at a venue that takes real orders.',
    remedy: "Point it at the paper venue, or at the venue's testnet or demo address.",
  },
  API_WITHOUT_TLS: {
    retryable: false,
    summary: 'The API would listen beyond this machine without TLS.',
    remedy:
      'Set RATCHET_API_HOST=127.0.0.1, or put a proxy that ends TLS before it and set RATCHET_API_BEHIND_TLS_PROXY=true.',
  },
  TEMPORAL_CONFIG_INVALID: {
    retryable: false,
    summary: 'The settings of the connection to Temporal can not be read.',
    remedy: 'Mend the TEMPORAL_… variables, or the profile in the file that TEMPORAL_CONFIG_FILE names.',
  },
  WORKER_BUILD_DIFFERS: {
    retryable: true,
    summary: 'A worker of another build is at work, and only one build may be.',
    remedy:
      'Stop the workers of the other build first. To replace them one after the other set RATCHET_BUILD_POLICY=any while it lasts.',
  },
  WORKER_KEYS_DIFFER: {
    retryable: true,
    summary: 'Two workers have payload keys with which one could not read what the other writes.',
    remedy:
      'Give the new key to every worker as one that reads, then make it the first everywhere. To begin or end encryption stop all workers.',
  },
  PAYLOAD_KEY_UNKNOWN: {
    retryable: false,
    summary: 'A payload was encrypted with a key that this process does not have.',
    remedy:
      'Give every process the key with this id in RATCHET_PAYLOAD_KEYS again. Nothing is lost: what waits goes on once a worker can read it.',
  },
  PAYLOAD_DAMAGED: {
    retryable: false,
    summary: 'A payload can not be decrypted with the key that it names.',
    remedy: 'Look whether the id was given to another key, and give the former its id back. Else somebody changed it.',
  },
  PAYLOAD_UNENCRYPTED: {
    retryable: false,
    summary: 'A payload is not encrypted, and here only encrypted ones are read.',
    remedy:
      'Find out who sent it: give that client the payload keys. For histories from before there were keys set RATCHET_PAYLOADS_ENCRYPTED_ONLY=false.',
  },
  PAYLOAD_TOO_LARGE: {
    retryable: false,
    summary: 'A payload is larger than Temporal takes. It was not sent.',
    remedy: 'Send less in one message; nothing of ours comes near it.',
  },
  STACK_FILE_INVALID: {
    retryable: false,
    summary: 'The file with the addresses of the running stack is not one that this version wrote.',
    remedy: 'Stop the stack, remove the file and start again; it is written anew at each start.',
  },
  ACCOUNT_MISMATCH: {
    retryable: false,
    summary: 'The account is kept with another venue or currency than the configuration names.',
    remedy: 'Give the configuration back its venue and currency; the currency can change once no trade is live.',
  },
  DATABASE_UNAVAILABLE: {
    retryable: true,
    summary: 'PostgreSQL does not answer.',
    remedy: 'Nothing while retries last. If it goes on, look whether it runs and whether the network lets it through.',
  },
  DATABASE_BUSY: {
    retryable: true,
    summary: 'PostgreSQL gave up waiting for a lock or a statement.',
    remedy: 'Nothing while retries last. If it goes on, pg_stat_activity shows who holds the lock.',
  },
  DATABASE_FULL: {
    retryable: true,
    summary: 'PostgreSQL has no space left on its disk: nothing can be recorded, so nothing new is sent.',
    remedy: 'Make room on the disk of the database; entries go on by themselves.',
  },
  DISK_SHORT: {
    retryable: true,
    summary: 'The disk is nearly full. No entries, so that exits have room for their records.',
    remedy:
      'Make room on the disk of the folder; entries go on by themselves. RATCHET_DISK_RESERVE_MB says how much is kept.',
  },
  DATABASE_REFUSED: {
    retryable: false,
    summary: 'PostgreSQL refuses this role or this database.',
    remedy: 'Check user, password and database name in DATABASE_URL; the set-up step creates the role and its rights.',
  },
  DATABASE_READ_ONLY: {
    retryable: true,
    summary: 'PostgreSQL refuses to write.',
    remedy: 'Point DATABASE_URL at the primary; after a failover, check which server that is now.',
  },
  DATABASE_NOT_DURABLE: {
    retryable: false,
    summary: 'PostgreSQL may forget what it has confirmed, so an order could be sent twice.',
    remedy: 'Set the named parameter to on in postgresql.conf and for this role, restart PostgreSQL, and start again.',
  },
  DATABASE_IS_REPLICA: {
    retryable: false,
    summary: 'DATABASE_URL leads to a replica, which lags behind and takes no writes.',
    remedy: 'Point DATABASE_URL at the primary.',
  },
  EVENT_CONFLICT: {
    retryable: false,
    summary: 'A record with this event id exists with other content. The first one was kept.',
    remedy: 'Report it with the event id: two different things happened under one identity.',
  },
  AUDIT_IMMUTABLE: {
    retryable: false,
    summary: 'The record can only be added to.',
    remedy: 'Add a correcting record; nothing in the record is ever changed or removed.',
  },
  AUDIT_TAIL_LOST: {
    retryable: false,
    summary: 'The newest records of the audit chain are missing: a checkpoint outside the database covers them.',
    remedy:
      'Do not trade. Bring back the database that has them; `ratchet audit verify` says what is left. Nothing starts on a cut record.',
  },
  AUDIT_CHAIN_BROKEN: {
    retryable: false,
    summary: 'A record of the audit chain is not what was sealed.',
    remedy: 'Keep the database as it is and stop the stack; `ratchet audit verify` names the first bad record.',
  },
  AUDIT_CHECKPOINT_UNTRUSTED: {
    retryable: false,
    summary: 'A checkpoint of the audit chain is not signed by the key of this stack.',
    remedy:
      'Bring back the key file that signed it (RATCHET_CHECKPOINT_KEY_FILE). Without a change of keys it was forged: verify against a copy.',
  },
  AUDIT_CHECKPOINT_UNREADABLE: {
    retryable: false,
    summary: 'A file of checkpoints can not be read.',
    remedy: 'Look at its rights and contents in RATCHET_CHECKPOINT_DIR; bring it back from a copy if it was damaged.',
  },
  AUDIT_CHECKPOINT_NOT_WRITTEN: {
    retryable: false,
    summary: 'A checkpoint could not be made durable outside the database.',
    remedy: 'Look at the disk of RATCHET_CHECKPOINT_DIR, then start the process again: a failed sync is never retried.',
  },
  AUDIT_CHECKPOINT_NO_SPACE: {
    retryable: true,
    summary: 'There is no room to keep a checkpoint outside the database.',
    remedy:
      'Make room on the disk of RATCHET_CHECKPOINT_DIR; checkpoints go on by themselves, and cover all that came meanwhile.',
  },
  AUDIT_CHECKPOINT_LOST: {
    retryable: false,
    summary: 'The folder of checkpoints no longer has the newest one that it has confirmed.',
    remedy:
      'Run `ratchet audit verify` and bring the folder back from a copy. If it verifies and there is no copy, move the folder away: a new one is begun.',
  },
  AUDIT_KEY_INVALID: {
    retryable: false,
    summary: 'The key that signs checkpoints can not be used.',
    remedy: 'It must be an Ed25519 private key in PEM that only its owner may read (chmod 600).',
  },
  AUDIT_SEALING_LATE: {
    retryable: true,
    summary: 'Committed records have been waiting for their place in the audit chain for more than a second.',
    remedy: 'Nothing while it is short. If it goes on, look whether a worker or the API runs, and at the database.',
  },
} as const satisfies Record<string, CatalogEntry>;
