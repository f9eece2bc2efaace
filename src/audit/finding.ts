/** One thing that is not as it must be. `seq` is the first record that it concerns. */
export type Finding = {
  readonly kind: 'tampered' | 'untrusted' | 'incomplete';
  readonly seq: number;
  readonly problem: string;
};
