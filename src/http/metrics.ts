import { Counter, Gauge, Registry } from 'prom-client';
import type { Answer } from './answer.ts';
import type { MetricValues, Series } from './metric-values.ts';
import { type MetricName, metricNames, metricOf } from './metrics-catalogue.ts';

/** Metrics of one agent, in a registry of their own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #metrics = new Map<MetricName, Counter | Gauge>();

  constructor() {
    for (const name of metricNames) {
      const { type, labels = {}, help } = metricOf(name);
      const options = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
      this.#metrics.set(name, type === 'counter' ? new Counter(options) : new Gauge(options));
    }
  }

  /** In the text format of Prometheus. */
  async answer(values: MetricValues): Promise<Answer> {
    for (const [name, metric] of this.#metrics) {
      metric.reset();
      // Without labels `reset` makes a 0, and what is unknown is not 0.
      if (metricOf(name).labels === undefined) metric.remove({});
      this.#set(name, metric, values[name]);
    }
    return { status: 200, type: 'metrics', body: await this.#registry.metrics() };
  }

  #set(name: MetricName, metric: Counter | Gauge, series: Series): void {
    if (typeof series === 'number') metric.inc(series);
    else if (series) {
      const [label = ''] = Object.keys(metricOf(name).labels ?? {});
      for (const [value, amount] of Object.entries(series))
        if (amount !== undefined) metric.inc({ [label]: value }, amount);
    }
  }
}
