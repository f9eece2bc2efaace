import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { scenarios } from '../../src/simulator/scenarios/catalog.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { expectGeneratedDoc, tableOf } from '../support/generated-doc.ts';
import { clientOf, control } from './venue-client.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/paper-venue.md', import.meta.url)), 'utf8');

let venue: Simulator | null = null;
afterEach(async () => {
  await venue?.close();
  venue = null;
});

/** Generated prices that stand still, an order of each kind that the examples name, and one fill. */
async function aVenueOfTheExamples(): Promise<Simulator> {
  const opened = await startSimulator({ replay: 'generator', deposits: { USDT: '100000', BNB: '1' } });
  venue = opened;
  await control(opened, 'POST', '/__sim/tick', { price: '46000' });
  await control(opened, 'POST', '/__sim/replay', { action: 'pause' });
  const client = clientOf(opened);
  await client.buy('0.01');
  await client.limit('BUY', '0.02', '40000', { newClientOrderId: 'second' });
  await client.limit('BUY', '0.02', '40000', { newClientOrderId: 'resting' });
  await client.limit('BUY', '0.02', '40000', { newClientOrderId: 'canceled' });
  await client.cancel({ origClientOrderId: 'canceled' });
  return opened;
}

const examples = [...page.matchAll(/^(GET|POST|DELETE) (\/__sim\S*) *(\{.*\})?$/gm)].map(
  ([, method = '', path = '', body]) => ({ method, path, body }),
);

test('every example of the document is accepted as it stands', async () => {
  const opened = await aVenueOfTheExamples();
  const [fill] = opened.exchange.books.fills;
  expect(examples.length).toBeGreaterThan(20);
  for (const { method, path, body } of examples) {
    const given = body?.replace('"tradeId": 1,', `"tradeId": ${fill?.tradeId},`);
    const seen = await control(opened, method, path, given === undefined ? undefined : JSON.parse(given));
    expect({ path, body, status: seen.status, problem: seen.body.problem }).toMatchObject({ path, body, status: 200 });
  }
});

test('every command of the control port is in the document', async () => {
  const opened = await aVenueOfTheExamples();
  const { body } = await control(opened, 'GET', '/__sim/nothing');
  const missing = body.commands.filter((command: string) => !page.includes(command));
  expect(missing).toEqual([]);
});

describe('the scenarios', () => {
  test('are listed with what each does, what to expect, and its parameters', () => {
    const rows = [...scenarios.values()].map(({ name, does, expect: seen, parameters }) => [
      `\`${name}\``,
      does,
      seen,
      Object.entries(parameters)
        .map(
          ([each, { meaning, standard, allowed }]) =>
            `\`${flagOf(each)}\` ${meaning}: ${allowed} (${standard || 'none'})`,
        )
        .join('<br>'),
    ]);
    const introduction = `# Scenarios of the paper venue

Generated from the code. \`npm run -s ratchet -- sim trigger <name> [--parameter value …]\` plays one against the running
paper venue; what is given in brackets is what it takes without being told. All times end by themselves, and
\`ratchet sim clear\` ends them at once. How the venue works is in [paper-venue.md](paper-venue.md).

`;
    expectGeneratedDoc(
      'scenarios.md',
      introduction + tableOf(['scenario', 'at the venue', 'at Ratchet', 'parameters'], rows),
    );
  });

  test('say both in one sentence', () => {
    for (const { name, does, expect: seen } of scenarios.values()) {
      for (const sentence of [does, seen])
        expect([name, sentence]).toEqual([name, expect.stringMatching(/^[A-Z][^\n]*\.("|)?$/)]);
    }
  });
});

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
