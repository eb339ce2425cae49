/** Waits for a condition, asking every 25 ms for at most `deadline` milliseconds; then throws with `message`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  message: string | (() => string) = 'the condition did not come true',
  deadline = 20_000,
): Promise<void> {
  const end = performance.now() + deadline;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(typeof message === 'string' ? message : message());
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
