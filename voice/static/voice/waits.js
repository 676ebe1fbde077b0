// Every wait for the browser has an end: some promises of browsers stay open for ever, without a word.

/** The browser did not answer in time. */
export class WaitedTooLong extends Error {}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T>} rejects with WaitedTooLong after `ms`
 */
export function within(promise, ms) {
  let timer;
  const end = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new WaitedTooLong(`no answer in ${ms} ms`)), ms);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}
