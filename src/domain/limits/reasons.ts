import { errorCatalog } from '../errors.ts';
import type { LimitEvaluation } from './limit.ts';

/** One reason of a denial, for people and programs. Its numbers are in `context`, as texts. */
export type Reason = {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly context: Readonly<Record<string, string>>;
};

/** Every reason once, in the order of the controls. An unknown that several controls ran into is one reason. */
export function reasonsOf(evaluations: readonly LimitEvaluation[]): readonly Reason[] {
  const reasons = evaluations.filter(({ allowed }) => !allowed).map(reasonOf);
  return reasons.filter(
    (reason, place) =>
      reasons.findIndex((other) => other.code === reason.code && other.message === reason.message) === place,
  );
}

function reasonOf(evaluation: LimitEvaluation): Reason {
  const { summary, remedy } = errorCatalog[evaluation.code];
  return {
    code: evaluation.code,
    message: `${summary} ${detailOf(evaluation)}`,
    remedy,
    context: contextOf(evaluation),
  };
}

function detailOf({ scope, wouldBe, limit, note }: LimitEvaluation): string {
  if (wouldBe === null || limit === null) return `${note ?? scope}.`;
  return `${scope}: ${wouldBe}, allowed ${limit}${note === undefined ? '' : ` (${note})`}.`;
}

function contextOf({
  control,
  scope,
  current,
  wouldBe,
  limit,
  note,
}: LimitEvaluation): Readonly<Record<string, string>> {
  return {
    control,
    scope,
    ...(current !== null && { current }),
    ...(wouldBe !== null && { wouldBe }),
    ...(limit !== null && { limit }),
    ...(note !== undefined && { note }),
  };
}
