/** The guard, the mode or a missing approval forbids what the workflow asked for. Spelled the same in its `ErrorEquals`. */
export class HeldError extends Error {
  override readonly name = 'HeldError';
}

/** The budgets of the last hour are used up: somebody has to approve what goes beyond. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}
