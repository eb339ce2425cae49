/** Metrics in the Prometheus text format 0.0.4: counters, gauges, histograms; names `saxctl_<command>_<thing>_<unit|total>`. */

export type Labels = Readonly<Record<string, string>>;

export type Counter = { inc(labels?: Labels, by?: number): void; value(labels?: Labels): number };
export type Gauge = { set(value: number, labels?: Labels): void };
export type Histogram = { observe(value: number, labels?: Labels): void };

export type Metrics = {
  /**
   * @param known label sets that are there from the start, at 0: what appears with its first event had no increase by
   * Prometheus' reckoning, and an alert on the first one would never fire.
   */
  counter(name: string, help: string, known?: readonly Labels[]): Counter;
  gauge(name: string, help: string): Gauge;
  /** A gauge that is asked when somebody scrapes. */
  sampled(name: string, help: string, sample: () => number | undefined): void;
  /** @param buckets upper bounds, ascending, in the unit of the name (seconds, bytes). */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  render(): string;
};

/** Seconds from 0.5 ms to 30 s: round trips, queries, deliveries. */
export const LATENCY_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** A series must not grow without bound through labels that come from outside; beyond this many, values go to `other`. */
const MAX_SERIES = 200;

type Family = { readonly name: string; readonly help: string; readonly type: string; lines(): string[] };

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const add = (family: Family): void => {
    if (families.has(family.name)) throw new Error(`metric ${family.name} is declared twice`);
    families.set(family.name, family);
  };

  const plain = (name: string, help: string, type: string, empty: boolean): Map<string, number> => {
    const series = new Map<string, number>(empty ? [['', 0]] : []);
    add({
      name,
      help,
      type,
      lines: () =>
        [...series]
          // The unlabelled zero only stands until a labelled series says more.
          .filter(([labels, value]) => labels !== '' || value !== 0 || series.size === 1)
          .map(([labels, value]) => `${name}${labels} ${value}`),
    });
    return series;
  };

  return {
    counter(name, help, known = []) {
      const series = plain(name, help, 'counter', known.length === 0);
      for (const labels of known) series.set(format(labels), 0);
      return {
        inc: (labels, by = 1) => {
          const key = keyOf(labels, series);
          series.set(key, (series.get(key) ?? 0) + by);
        },
        value: (labels) => series.get(format(labels)) ?? 0,
      };
    },
    gauge(name, help) {
      const series = plain(name, help, 'gauge', false);
      return { set: (value, labels) => series.set(keyOf(labels, series), value) };
    },
    sampled(name, help, sample) {
      add({
        name,
        help,
        type: 'gauge',
        lines: () => {
          const value = sample();
          return value === undefined ? [] : [`${name} ${value}`];
        },
      });
    },
    histogram(name, help, buckets) {
      const series = new Map<string, { counts: number[]; sum: number; count: number; labels: Labels }>();
      add({
        name,
        help,
        type: 'histogram',
        lines: () => [...series.values()].flatMap((one) => histogramLines(name, buckets, one)),
      });
      return {
        observe: (value, labels = {}) => {
          const key = keyOf(labels, series);
          const one = series.get(key) ?? { counts: buckets.map(() => 0), sum: 0, count: 0, labels };
          series.set(key, one);
          one.sum += value;
          one.count++;
          const index = buckets.findIndex((bound) => value <= bound);
          if (index >= 0) one.counts[index] = (one.counts[index] ?? 0) + 1;
        },
      };
    },
    render: () =>
      [...families.values()]
        .flatMap(({ name, help, type, lines }) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()])
        .join('\n')
        .concat('\n'),
  };
}

function histogramLines(
  name: string,
  buckets: readonly number[],
  { counts, sum, count, labels }: { counts: number[]; sum: number; count: number; labels: Labels },
): string[] {
  let total = 0;
  const rows = buckets.map((bound, index) => {
    total += counts[index] ?? 0;
    return `${name}_bucket${format({ ...labels, le: String(bound) })} ${total}`;
  });
  return [
    ...rows,
    `${name}_bucket${format({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_sum${format(labels)} ${sum}`,
    `${name}_count${format(labels)} ${count}`,
  ];
}

function keyOf(labels: Labels | undefined, series: ReadonlyMap<string, unknown>): string {
  const key = format(labels);
  if (series.has(key) || series.size < MAX_SERIES) return key;
  return format(Object.fromEntries(Object.keys(labels ?? {}).map((name) => [name, 'other'])));
}

/** Written forms by labels object: who counts often keeps the object. */
const written = new WeakMap<Labels, string>();

/** `{a="1",b="2"}`, values escaped as the format wants; '' without labels. */
function format(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  let text = written.get(labels);
  if (text === undefined) {
    text = write(labels);
    written.set(labels, text);
  }
  return text;
}

function write(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
