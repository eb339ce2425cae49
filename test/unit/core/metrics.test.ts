import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';

describe('metrics', () => {
  it('have the label sets that are known from the start, at 0', () => {
    const metrics = createMetrics();
    const gaps = metrics.counter('saxctl_x_gaps_total', 'Gaps.', [{ way: 'in' }, { way: 'out' }]);
    gaps.inc({ way: 'out' });
    expect(metrics.render()).toContain('\nsaxctl_x_gaps_total{way="in"} 0\nsaxctl_x_gaps_total{way="out"} 1\n');
  });

  it('are rendered in the Prometheus text format', () => {
    const metrics = createMetrics();
    const lines = metrics.counter('saxctl_x_lines_total', 'Lines.');
    lines.inc({ way: 'in' });
    lines.inc({ way: 'in' }, 2);
    metrics.gauge('saxctl_x_depth', 'Depth.').set(4);
    metrics.sampled('saxctl_x_up', 'Up.', () => 1);
    metrics.sampled('saxctl_x_none', 'Nothing to say.', () => undefined);
    const histogram = metrics.histogram('saxctl_x_seconds', 'Time.', [0.1, 1]);
    for (const value of [0.05, 0.5, 5]) histogram.observe(value);
    expect(metrics.render()).toBe(`# HELP saxctl_x_lines_total Lines.
# TYPE saxctl_x_lines_total counter
saxctl_x_lines_total{way="in"} 3
# HELP saxctl_x_depth Depth.
# TYPE saxctl_x_depth gauge
saxctl_x_depth 4
# HELP saxctl_x_up Up.
# TYPE saxctl_x_up gauge
saxctl_x_up 1
# HELP saxctl_x_none Nothing to say.
# TYPE saxctl_x_none gauge
# HELP saxctl_x_seconds Time.
# TYPE saxctl_x_seconds histogram
saxctl_x_seconds_bucket{le="0.1"} 1
saxctl_x_seconds_bucket{le="1"} 2
saxctl_x_seconds_bucket{le="+Inf"} 3
saxctl_x_seconds_sum 5.55
saxctl_x_seconds_count 3
`);
  });

  it('start counters at zero and read them back', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('saxctl_a_total', 'A.');
    expect(metrics.render()).toContain('saxctl_a_total 0\n');
    counter.inc();
    expect([counter.value(), metrics.render().includes('saxctl_a_total 1\n')]).toEqual([1, true]);
  });

  it('escape labels and bound the number of series', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('saxctl_a_total', 'A.');
    counter.inc({ nick: 'a"b\\c\n' });
    expect(metrics.render()).toContain('saxctl_a_total{nick="a\\"b\\\\c\\n"} 1');
    for (let index = 0; index < 1000; index++) counter.inc({ nick: String(index) });
    expect(metrics.render().split('\n').length).toBeLessThan(210);
    expect(counter.value({ nick: 'other' })).toBeGreaterThan(700);
  });

  it('refuse one name twice', () => {
    const metrics = createMetrics();
    metrics.gauge('saxctl_a', 'A.');
    expect(() => metrics.counter('saxctl_a', 'A.')).toThrow('declared twice');
  });
});
