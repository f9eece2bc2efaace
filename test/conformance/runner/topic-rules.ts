/** What a topic does differently from the rest, as the README beside the case tables says. */
export type TopicRules = {
  /** Steps carry expected results under these bare keys. */
  readonly bareStepKeys?: readonly string[];
  /** Expected results hide in this list among the params, which is treated as further steps. */
  readonly eventKeys?: { readonly list: string; readonly keys: readonly string[] };
  /** Every value in this key of a step is an expected result, but for the inputs named. The keys stay, without values. */
  readonly questions?: { readonly key: string; readonly inputs: readonly string[] };
  /** Texts of functions whose name begins so are compared as texts, also where they are numbers. Empty = all. */
  readonly exactText?: string;
  /** Lists under these keys are sets: their order does not matter. */
  readonly sets?: readonly string[];
  /** Sets of which the answer may hold more than what is asked for. */
  readonly supersets?: readonly string[];
};

export const topicRules: Readonly<Record<string, TopicRules>> = {
  'gekko-trailing-stop': { bareStepKeys: ['triggered', 'triggered_again'] },
  'lean-trailing-stop': { bareStepKeys: ['filled', 'stop', 'fill_price'] },
  'freqtrade-protections': { questions: { key: 'query', inputs: ['pair', 'at', 'call_both'] } },
  'nautilus-trailing': { eventKeys: { list: 'events', keys: ['trigger'] } },
  'bbgo-market-rounding': { exactText: 'format_' },
  'ccxt-decimal-to-precision': { exactText: '' },
  'ccxt-precise-arithmetic': { exactText: '' },
  'ccxt-number-to-string': { exactText: '' },
  'seed-graduation': { sets: ['blockers'] },
  'seed-audit': { supersets: ['fields'] },
};
