import type { Market } from '../exchange/market.ts';
import { eight } from './answers.ts';
import { preventionModes } from './order-parameters.ts';

/** A symbol of exchangeInfo. */
export const symbolAnswer = (market: Market): object => ({
  symbol: market.symbol,
  status: market.status,
  baseAsset: market.baseAsset,
  baseAssetPrecision: 8,
  quoteAsset: market.quoteAsset,
  quotePrecision: 8,
  quoteAssetPrecision: 8,
  baseCommissionPrecision: 8,
  quoteCommissionPrecision: 8,
  orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT'],
  icebergAllowed: false,
  ocoAllowed: false,
  otoAllowed: false,
  opoAllowed: false,
  quoteOrderQtyMarketAllowed: false,
  allowTrailingStop: false,
  cancelReplaceAllowed: true,
  amendAllowed: false,
  pegInstructionsAllowed: false,
  isSpotTradingAllowed: true,
  isMarginTradingAllowed: false,
  filters: filtersOf(market),
  permissions: [],
  permissionSets: [['SPOT']],
  defaultSelfTradePreventionMode: preventionModes[0],
  allowedSelfTradePreventionModes: preventionModes,
});

const filtersOf = (market: Market): readonly object[] => [
  {
    filterType: 'PRICE_FILTER',
    minPrice: eight(market.priceMin),
    maxPrice: eight(market.priceMax),
    tickSize: eight(market.tickSize),
  },
  {
    filterType: 'LOT_SIZE',
    minQty: eight(market.quantityMin),
    maxQty: eight(market.quantityMax),
    stepSize: eight(market.stepSize),
  },
  {
    filterType: 'MARKET_LOT_SIZE',
    minQty: '0.00000000',
    maxQty: eight(market.marketQuantityMax),
    stepSize: '0.00000000',
  },
  {
    filterType: 'NOTIONAL',
    minNotional: eight(market.notionalMin),
    applyMinToMarket: true,
    maxNotional: '0.00000000',
    applyMaxToMarket: false,
    avgPriceMins: 0,
  },
  { filterType: 'MAX_NUM_ORDERS', maxNumOrders: market.ordersMax },
  { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: market.stopOrdersMax },
];
