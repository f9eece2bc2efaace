import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setApprovalPolicy } from '../../src/store/trading-state/approvals.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { nowMs } from '../store/fixtures.ts';
import { type Answer, anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
  await setApprovalPolicy(api.database.db, { peopleNeeded: 2, nowMs });
});
afterAll(() => api.close());

type Approval = { readonly approvalId: string; readonly requestHash: string };
const approvalIn = ({ body }: Answer) => body['approval'] as Approval;
const held = async () => (await holdsInForce(api.database.db, nowMs)).length > 0;

async function asked(): Promise<Approval> {
  await api.call('POST', '/v1/halts', { reason: 'news' });
  const answer = await api.call('POST', '/v1/resumes', { reason: 'over', actor: 'anna' }, keys.all);
  expect(answer.status).toBe(202);
  return approvalIn(answer);
}

const approve = (approval: Approval, changed: object = {}, key: string = keys.operate) => {
  const { approvalId, requestHash } = approval;
  return api.call(
    'POST',
    '/v1/approvals',
    { approvalId, requestHash, reason: 'so did I', actor: 'ben', ...changed },
    key,
  );
};

describe('F45 F85: POST /v1/resumes and /v1/approvals, where two people are needed', () => {
  test('one asks, the list shows it, another one approves with another key, and it works once', async () => {
    const approval = await asked();
    expect(await held()).toBe(true);
    const list = await api.call('GET', '/v1/approvals', undefined, keys.read);
    expect(list.body).toMatchObject({ approvals: [{ approvalId: approval.approvalId, kind: 'resume' }] });
    expect(await approve(approval)).toMatchObject({
      status: 200,
      body: { outcome: 'applied', hold: { source: 'operator' } },
    });
    expect(await held()).toBe(false);
    expect(await approve(approval)).toMatchObject({ status: 409, body: { code: 'APPROVAL_USED' } });
  });

  test.each([
    { name: 'the same key', changed: {}, key: keys.all, status: 403, code: 'APPROVAL_SAME_PERSON' },
    { name: 'the same name', changed: { actor: 'anna' }, key: keys.operate, status: 403, code: 'APPROVAL_SAME_PERSON' },
    {
      name: 'another request',
      changed: { requestHash: 'f'.repeat(64) },
      key: keys.operate,
      status: 409,
      code: 'APPROVAL_CHANGED',
    },
    {
      name: 'a request that is none',
      changed: { approvalId: 'approval-0' },
      key: keys.operate,
      status: 404,
      code: 'APPROVAL_UNKNOWN',
    },
    { name: 'a key that may only trade', changed: {}, key: keys.trade, status: 403, code: 'API_SCOPE_MISSING' },
    { name: 'a key that was revoked', changed: {}, key: keys.revoked, status: 401, code: 'API_KEY_MISSING' },
    { name: 'no reason', changed: { reason: ' ' }, key: keys.operate, status: 400, code: 'REQUEST_INVALID' },
  ])('refuses $name', async ({ changed, key, status, code }) => {
    const approval = await asked();
    expect(await approve(approval, changed, key)).toMatchObject({ status, body: { code } });
    expect(await held()).toBe(true);
  });
});

describe('F50: POST /v1/limits', () => {
  const limits = (orderNotionalMax: string) => ({
    portfolioDeltaMax: '1',
    portfolioGammaMax: '10',
    symbolDeltaMax: '0.5',
    concentrationMax: '0.5',
    correlatedExposureMax: '0.8',
    totalExposureCap: 'none',
    orderNotionalMax,
    equityAgeMsMax: '60000',
    priceAgeMsMax: '5000',
  });
  const set = (orderNotionalMax: string, changed: object = {}) =>
    api.call('POST', '/v1/limits', { limits: limits(orderNotionalMax), reason: 'wiser', actor: 'anna', ...changed });
  const inForce = async () =>
    (await api.database.db.selectFrom('account').select('limits').executeTakeFirstOrThrow()).limits as object;

  test('loosens with two people, tightens with one', async () => {
    // What the account begins with lacks most limits, which denies: to set them loosens.
    const first = approvalIn(await set('1000'));
    expect(await approve(first)).toMatchObject({ status: 200, body: { outcome: 'applied', limitsVersion: 3 } });
    expect(await set('500')).toMatchObject({ status: 200, body: { outcome: 'changed' } });
    expect(await set('500')).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
    const looser = await set('900');
    expect(looser).toMatchObject({ status: 202, body: { loosened: ['orderNotionalMax'] } });
    expect(await inForce()).toMatchObject({ orderNotionalMax: '500' });
    await approve(approvalIn(looser));
    expect(await inForce()).toMatchObject({ orderNotionalMax: '900' });
  });

  test.each([
    { name: 'an account that is none', changed: { account: 'nobody' }, status: 404, code: 'ACCOUNT_UNKNOWN' },
    {
      name: 'a limit that is missing',
      changed: { limits: { orderNotionalMax: '1' } },
      status: 400,
      code: 'REQUEST_INVALID',
    },
    { name: 'a number that is none', changed: { limits: limits('NaN') }, status: 400, code: 'REQUEST_INVALID' },
  ])('refuses $name', async ({ changed, status, code }) => {
    expect(await set('1', changed)).toMatchObject({ status, body: { code } });
  });
});
