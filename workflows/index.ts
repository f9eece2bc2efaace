// The bundle: every export is a workflow, and nothing else may be one.
export { accountWatch } from './account-watch.ts';
export { cancelAll } from './cancel-all.ts';
export { circuitBreaker } from './circuit-breaker.ts';
export { correction } from './correction.ts';
export { entry } from './entry.ts';
export { exit } from './exit.ts';
export { marketWatch } from './market-watch.ts';
export { positionMonitoring } from './position-monitoring.ts';
export { protectiveStop } from './protective-stop.ts';
export { reconciliation } from './reconciliation.ts';
export { trailingStop } from './trailing-stop.ts';
