import { describe, expect, test, vi } from 'vitest';
import { readFlags } from '../../src/stack/flags.ts';

const read = (...args: string[]) => readFlags(args, '/data');

describe('readFlags', () => {
  test('has defaults', () => {
    expect(read()).toEqual({ json: false, bot: true, data: '/data' });
  });

  test('reads every flag', () => {
    const flags = read(
      '--trades',
      '5',
      '--symbol',
      'ETH/USDT',
      '--speed',
      '0.5',
      '--seed',
      '7',
      '--json',
      '--data',
      '/x',
    );
    expect(flags).toEqual({
      trades: 5,
      symbol: 'ETH/USDT',
      speed: '0.5',
      seed: '7',
      json: true,
      bot: true,
      data: '/x',
    });
  });

  test('takes several symbols', () => {
    expect(read('--symbol', 'BTC/USDT,ETH/USDT')).toMatchObject({ symbol: 'BTC/USDT,ETH/USDT' });
  });

  test.each([
    ['--trades', '0'],
    ['--trades', '1.5'],
    ['--trades', 'many'],
    ['--speed', '0'],
    ['--speed', '0.0'],
    ['--speed', '-1'],
    ['--symbol', 'ETHUSDT'],
    ['--symbol', 'BTC/USDT,'],
    ['--prices', '/no/such/file.csv'],
    ['--nonsense'],
    ['word'],
    ['--no-bot', '--trades', '3'],
  ])('refuses %s %s with exit code 2', (...args) => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(() => read(...args)).toThrow(expect.objectContaining({ exitCode: 2 }));
    stderr.mockRestore();
  });
});
