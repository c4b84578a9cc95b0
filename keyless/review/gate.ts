import { type EnvironmentReview, gains, isQuiet, type Review } from "./review";

/** What a gate may stop: each name with what it means for an environment. */
const CONDITIONS = {
  "gains-access": ({ access }: EnvironmentReview) => gains(access).length > 0,
  "could-not-tell": ({ access }: EnvironmentReview) => access.some(({ effect }) => effect === "unknown"),
  admin: ({ access }: EnvironmentReview) => gains(access).some(({ administrator }) => administrator),
  "administrator-roles": ({ administratorRoles }: EnvironmentReview) => administratorRoles.length > 0,
  destroys: ({ counts }: EnvironmentReview) => counts.destroy > 0,
  replaces: ({ counts }: EnvironmentReview) => counts.replace > 0,
  drift: ({ counts }: EnvironmentReview) => counts.drift > 0,
  incomplete: ({ errored, complete }: EnvironmentReview) => errored || !complete,
  changes: (environment: EnvironmentReview) => !isQuiet(environment),
} as const;

/** What `--fail-on` can name. */
export type GateCondition = keyof typeof CONDITIONS;

/** Every condition, in the order of the help. */
export const GATE_CONDITIONS = Object.keys(CONDITIONS) as readonly GateCondition[];

/** Why the gate stays shut, e.g. `gains-access in prod`; empty when nothing that it looks for is in the review. */
export function gate(review: Review, conditions: readonly GateCondition[]): readonly string[] {
  return conditions.flatMap((condition) =>
    review.environments.filter(CONDITIONS[condition]).map(({ environment }) => `${condition} in ${environment}`),
  );
}
