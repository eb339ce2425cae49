/**
 * Waits for a condition, asking every 25 ms for at most `deadline` milliseconds; then throws with `message`.
 * Returns what the condition gave at last.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  message: string | (() => string) = 'the condition did not come true',
  deadline = 60_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadline;
  for (;;) {
    const answer = await condition();
    if (answer) return answer as NonNullable<T>;
    if (performance.now() > end) throw new Error(typeof message === 'string' ? message : message());
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
