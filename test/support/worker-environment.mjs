// Loaded into every process of a stack that a test starts (NODE_OPTIONS). The worker takes what the test has written for
// it in `<data>/worker-environment.json`, such as addresses of proxies, and is the only one that dies at crash points.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const script = process.argv[1] ?? '';

if (/[\\/]main[\\/]worker\.js$/.test(script)) {
  const file = join(process.env.RATCHET_DATA ?? '', 'worker-environment.json');
  if (existsSync(file)) Object.assign(process.env, JSON.parse(readFileSync(file, 'utf8')));
} else if (/[\\/]main[\\/]\w+\.js$/.test(script)) {
  process.env.CRASH_AT = '';
  process.env.PAUSE_AT = '';
}
