/** A request as a bot writes it. A test names only what it is about. */
export const aRequest = (changed: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  tradeId: 'bot-btc-1',
  account: 'main',
  strategy: 'example',
  venue: 'paper',
  legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: '0.0125' }],
  entry: { type: 'LIMIT', price: '46210.50', timeInForce: 'GTC' },
  exit: { stopLoss: { price: '45500' } },
  requestedAtMs: 1_795_262_400_000,
  validForMs: 200,
  ...changed,
});
