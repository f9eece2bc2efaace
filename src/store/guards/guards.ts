/** What watches positions: arming and amending, and what the watch of a shard reads and writes. */
export type { ArmedGuard } from './armed-guards.ts';
export { amendTrailingStop, armGuards, disarmGuards, readStop, wakeWatch } from './arming.ts';
export { guardsWithoutLease, leaveShard, renewLease, type ShardLease, takeShard } from './watch-lease.ts';
export { acknowledgeGuards, checkpointGuards, commitTrigger, type GuardCheckpoint, loadShard } from './watching.ts';
