const words: Record<string, string> = {
  ok: 'Answered',
  refused: 'Refused by the model',
  stopped: 'Stopped by a person',
  failed: 'Any failure',
  'rate-limited': 'Too many requests',
  server: 'Server error',
  timeout: 'Timed out',
  network: 'No connection',
  'bad-output': 'Unusable answer',
  misconfigured: 'Wrong key or name',
  'model-gone': 'Model is gone',
  'too-long': 'Too long for the model',
  'breaker-open': 'Breaker was open',
  busy: 'No slot was free',
  budget: 'Budget was used up',
  blocked: 'Blocked by a rule',
}

/** How a call of a model ended, in words; an outcome that has none yet is shown as it is. */
export const outcomeWords = (outcome: string): string => words[outcome] ?? outcome
