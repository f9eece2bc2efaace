/** Which of the venue's streams: those of the market, those of the account, or all. */
export type StreamKind = 'market' | 'user';

/**
 * What is wrong with the venue as a whole just now, beside the plan of faults. One object that the control port changes and
 * that every door of the venue looks at.
 */
export type Conditions = {
  /** `firewall`: every REST answer is 403 and a page; `blackout`: every REST answer is 503 and there are no streams. */
  outage: 'firewall' | 'blackout' | null;
  /** The account's key is refused everywhere. */
  isKeyRevoked: boolean;
  /** Connections that say nothing, neither frames nor pings. */
  readonly silent: Set<StreamKind>;
};

export const goodConditions = (): Conditions => ({ outage: null, isKeyRevoked: false, silent: new Set() });
