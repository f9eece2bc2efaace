import { loadOrCreateSigningKey } from '../../../src/audit/keys.ts';

// Makes or finds the key that it is told and says which one it got.
const { key } = loadOrCreateSigningKey(process.argv[2] ?? '', 'ratchet/audit');
process.stdout.write(key.export({ format: 'pem', type: 'pkcs8' }));
