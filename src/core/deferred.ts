/** A promise with its handles outside (Promise.withResolvers, which Node 20 has not). */
export type Deferred<T> = { readonly promise: Promise<T>; resolve(value: T): void; reject(error: Error): void };

export function newDeferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
