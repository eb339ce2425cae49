/** Browser storage that may be full, forbidden or filled with anything: then it is simply not there. */
type Area = 'localStorage' | 'sessionStorage';

/** Reads JSON; undefined when there is none. */
export function load<T>(area: Area, key: string): T | undefined {
  try {
    return JSON.parse(window[area].getItem(key) ?? '') as T;
  } catch {
    return undefined;
  }
}

/** Writes JSON; without a value the entry is emptied. */
export function save(area: Area, key: string, value: unknown = 0): void {
  try {
    window[area].setItem(key, JSON.stringify(value));
  } catch {
    // The page works without.
  }
}
