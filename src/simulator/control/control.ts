import type { IncomingMessage, ServerResponse } from 'node:http';
import { decimal, isDecimal, isPositive } from '../../domain/decimal.ts';
import { type Market, pairOf } from '../exchange/market.ts';
import { Refusal } from '../exchange/refusal.ts';
import { readPlan } from '../faults/fault-plan.ts';
import type { Tick } from '../options.ts';
import type { Replay } from '../prices/replay.ts';
import { orderCommandOf } from '../rest/order-parameters.ts';
import { readBody } from '../rest/request.ts';
import type { VenueCore } from '../venue-core.ts';

type ControlOptions = {
  readonly core: VenueCore;
  readonly replay: Replay | null;
  /** Sends a frame as it is to every market stream. */
  sendRaw(text: string): void;
};

type Body = Readonly<Record<string, unknown>>;
type Outcome = { readonly status: number; readonly body: unknown };
type Command = (options: ControlOptions, body: Body, query: URLSearchParams) => Outcome;

const ok = (body: unknown = {}): Outcome => ({ status: 200, body });
const wrong = (problem: string): Outcome => ({ status: 400, body: { problem } });

const commands: Readonly<Record<string, Command>> = {
  'GET /__sim/ledger': showLedger,
  'GET /__sim/state': (options) => ok(stateOf(options)),
  'GET /__sim/plan': ({ core }) => ok({ rules: core.faults.rules() }),
  'POST /__sim/plan': addPlan,
  'DELETE /__sim/plan': ({ core }) => {
    core.faults.clear();
    return ok();
  },
  'POST /__sim/tick': tick,
  'POST /__sim/external': external,
  'POST /__sim/clock': moveClock,
  'POST /__sim/replay': steerReplay,
  'POST /__sim/symbol': changeSymbol,
};

/**
 * The control port: the venue's truth for an oracle, and the ways in which a test makes the venue behave badly. It takes JSON
 * only, which a page in a browser cannot send here without being asked first.
 */
export function createControl(
  options: ControlOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { status, body } = await outcomeOf(options, request);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
}

async function outcomeOf(options: ControlOptions, request: IncomingMessage): Promise<Outcome> {
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
    return command(options, body, url.searchParams);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: { code: error.code, msg: error.message } };
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

/** `?kind=orders|fills|balances|requests|entries` shows one part; `entries` is the journal itself, in its order. */
function showLedger({ core }: ControlOptions, _: Body, query: URLSearchParams): Outcome {
  const { books } = core.exchange;
  const parts: Readonly<Record<string, () => unknown>> = {
    orders: () => [...books.orders.values()],
    fills: () => books.fills,
    balances: () => books.balances(),
    requests: () => core.log.records(),
    entries: () => core.ledger.groups,
  };
  const kind = query.get('kind');
  if (kind === null) {
    const { orders, fills, balances, requests } = parts;
    return ok({
      hash: core.ledger.hash(),
      orders: orders?.(),
      fills: fills?.(),
      balances: balances?.(),
      requests: requests?.(),
    });
  }
  const part = parts[kind];
  return part
    ? ok({ hash: core.ledger.hash(), [kind]: part() })
    : wrong(`kind is one of ${Object.keys(parts).join(', ')}`);
}

function stateOf({ core, replay }: ControlOptions): object {
  const { exchange, clock, ledger, source } = core;
  const state = replay?.state() ?? null;
  return {
    clock: { kind: clock.kind, nowMs: clock.nowMs() },
    symbols: [...exchange.venues.values()].map(({ market, quotes, tape }) => ({
      symbol: pairOf(market),
      status: market.status,
      quotes,
      lastTradeId: tape.lastTradeId,
    })),
    pricesEnded: state?.pricesEnded ?? false,
    replay: state,
    badLines: source?.badLines ?? null,
    openOrders: exchange.books.openOrders.size,
    balances: exchange.books.balances(),
    ledgerHash: ledger.hash(),
  };
}

function addPlan({ core }: ControlOptions, body: Body): Outcome {
  const plan = readPlan(body);
  if ('mistakes' in plan) return { status: 400, body: { problem: 'the plan has mistakes', mistakes: plan.mistakes } };
  core.faults.add(plan.rules);
  return ok({ rules: core.faults.rules() });
}

/** One tick, `{ticks: [...]}`, or `{raw: "…"}`: text for the market streams as it is. */
function tick(options: ControlOptions, body: Body): Outcome {
  const { core } = options;
  if (typeof body['raw'] === 'string') {
    options.sendRaw(body['raw']);
    return ok();
  }
  const ticks: readonly unknown[] = Array.isArray(body['ticks']) ? body['ticks'] : [body];
  const venues = [...core.exchange.venues.values()];
  const known = new Set(venues.flatMap(({ market }) => [market.symbol, pairOf(market)]));
  if (!ticks.every((each): each is Tick => isTick(each, known))) {
    return wrong(
      'a tick is {price, quantity?, symbol?, aggressor?}, decimals as text above zero, of a symbol of this venue',
    );
  }
  for (const each of ticks) core.tick(each);
  return ok({ ticks: ticks.length });
}

function isTick(value: unknown, symbols: ReadonlySet<string>): value is Tick {
  if (typeof value !== 'object' || value === null) return false;
  const { price, quantity, symbol, aggressor } = value as { [key in keyof Tick]?: unknown };
  if (!isPrice(price) || (quantity !== undefined && !isPrice(quantity))) return false;
  if (symbol !== undefined && !(typeof symbol === 'string' && symbols.has(symbol))) return false;
  return aggressor === undefined || aggressor === 'BUY' || aggressor === 'SELL';
}

const isPrice = (value: unknown): boolean => isDecimal(value) && isPositive(decimal(value));

/** What a person does to the account by hand: an order, with the parameters of POST /order, a cancel, or a transfer. */
function external({ core }: ControlOptions, body: Body): Outcome {
  const { exchange, clock } = core;
  const { type, order, orderId, asset, change } = body;
  if (type === 'order' && typeof order === 'object' && order !== null) {
    const parameters = Object.fromEntries(Object.entries(order).map(([name, value]) => [name, String(value)]));
    if (!exchange.venues.has(parameters['symbol'] ?? '')) return wrong('order.symbol is a symbol of this venue');
    const command = orderCommandOf(parameters, { requestId: 0, receivedAtMs: clock.nowMs() });
    const placement = exchange.place({ ...command, origin: 'external', requestId: null });
    return placement.outcome === 'accepted' ? ok({ order: placement.order }) : refused(placement.refusal);
  }
  if (type === 'cancel' && typeof orderId === 'number' && exchange.books.openOrders.has(orderId)) {
    return ok({ order: exchange.cancel(orderId, 'external') });
  }
  if (type === 'balance' && typeof asset === 'string' && isDecimal(change)) {
    exchange.changeBalance(asset, decimal(change), 'external');
    return ok({ balance: exchange.books.balance(asset) });
  }
  return wrong(
    'external is {type: "order", order}, {type: "cancel", orderId} of an open order, or {type: "balance", asset, change}',
  );
}

const refused = ({ status, code, message }: Refusal): Outcome => ({ status, body: { code, msg: message } });

/** `{setAtMs}` or `{advanceMs}` moves a virtual clock; `{skewMs}` makes a wall clock wrong by so much more. */
function moveClock({ core: { clock } }: ControlOptions, { setAtMs, advanceMs, skewMs }: Body): Outcome {
  if (typeof skewMs === 'number' && clock.kind === 'wall') clock.shift(skewMs);
  else if (clock.kind === 'wall') return wrong('the clock is real time: it can be skewed ({skewMs}), not moved');
  else if (typeof advanceMs === 'number' && advanceMs >= 0) clock.shift(advanceMs);
  else if (typeof setAtMs === 'number' && setAtMs >= clock.nowMs()) clock.shift(setAtMs - clock.nowMs());
  else return wrong('give advanceMs, or setAtMs that is not in the past');
  return ok({ nowMs: clock.nowMs() });
}

function steerReplay({ replay }: ControlOptions, { action, speed }: Body): Outcome {
  if (!replay) return wrong('there are no prices to play: they move by /__sim/tick');
  if (speed !== undefined && !(typeof speed === 'number' && speed > 0)) return wrong('speed is a number above zero');
  if (action !== undefined && action !== 'pause' && action !== 'resume') return wrong('action is pause or resume');
  if (speed !== undefined) replay.setSpeed(speed);
  if (action === 'pause') replay.pause();
  if (action === 'resume') replay.resume();
  return ok(replay.state());
}

const statuses: ReadonlySet<unknown> = new Set(['TRADING', 'END_OF_DAY', 'HALT', 'BREAK', 'CANCEL_ONLY']);
const assetNames: ReadonlySet<string> = new Set(['symbol', 'baseAsset', 'quoteAsset']);

/** `{symbol, rules}`: new trading rules, a new status, or another depth of the book, from now on. */
function changeSymbol({ core: { exchange } }: ControlOptions, { symbol, rules }: Body): Outcome {
  const venue = exchange.venues.get(String(symbol).replace('/', ''));
  if (!venue || typeof rules !== 'object' || rules === null) return wrong('give symbol, of this venue, and rules');
  const wrongRule = Object.entries(rules).find(([name, value]) => !isRule(venue.market, name, value));
  if (wrongRule) return wrong(`rules.${wrongRule[0]} is unknown or of another type`);
  venue.market = { ...venue.market, ...rules };
  return ok({ market: venue.market });
}

function isRule(market: Market, name: string, value: unknown): boolean {
  if (assetNames.has(name) || !Object.hasOwn(market, name)) return false;
  if (name === 'status') return statuses.has(value);
  const before = market[name as keyof Market];
  return typeof before === 'number' ? Number.isInteger(value) : isDecimal(value) && decimal(value) === value;
}
