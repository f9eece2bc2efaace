/** Why the stack cannot run, and what a person can do about it. `exitCode` is what `npm start` ends with. */
export class StackFailure extends Error {
  override readonly name = 'StackFailure';
  readonly remedy: string;
  readonly exitCode: number;

  constructor(message: string, remedy: string, exitCode = 1) {
    super(message);
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}
