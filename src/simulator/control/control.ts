import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../exchange/refusal.ts';
import { readBody } from '../rest/request.ts';
import { accountCommands } from './account-commands.ts';
import { type Body, type Command, type Outcome, refused, wrong } from './command.ts';
import { ledgerCommands } from './ledger-commands.ts';
import { marketCommands } from './market-commands.ts';
import { scenarioCommands } from './scenario-commands.ts';
import { type Stage, StageProblem } from './stage.ts';
import { troubleCommands } from './trouble-commands.ts';

const commands: Readonly<Record<string, Command>> = {
  ...ledgerCommands,
  ...marketCommands,
  ...accountCommands,
  ...troubleCommands,
  ...scenarioCommands,
};

/**
 * The control port: the venue's truth for an oracle, and the ways in which a test or a person makes the venue behave badly. It
 * takes JSON only, which a page in a browser cannot send here without being asked first.
 */
export function createControl(stage: Stage): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { status, body } = await outcomeOf(stage, request);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
}

async function outcomeOf(stage: Stage, request: IncomingMessage): Promise<Outcome> {
  const url = new URL(request.url ?? '/', 'http://control');
  const command = commands[`${request.method} ${url.pathname}`];
  if (!command) return { status: 404, body: { problem: 'no such command', commands: Object.keys(commands) } };
  const text = await readBody(request);
  if (text === null) return wrong('the body is too long, or did not come whole');
  if (text !== '' && !request.headers['content-type']?.startsWith('application/json')) {
    return { status: 415, body: { problem: 'send application/json' } };
  }
  const body = parse(text);
  if (body === null) return wrong('the body is not JSON');
  try {
    return command(stage, body, url.searchParams);
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    if (error instanceof StageProblem) return wrong(error.message);
    throw error;
  }
}

function parse(text: string): Body | null {
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' ? (body as Body) : null;
  } catch {
    return null;
  }
}
