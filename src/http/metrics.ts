import { Counter, Gauge, Registry } from 'prom-client';
import type { Answer } from './answer.ts';
import type { MetricValues, Series } from './metric-values.ts';
import { metricNames, metricOf } from './metrics-catalogue.ts';

/** In the text format of Prometheus. Made anew each time, so that nothing of an earlier answer is left in it. */
export async function metricsAnswer(values: MetricValues): Promise<Answer> {
  const registry = new Registry();
  for (const name of metricNames) {
    const { type, labels = {}, help } = metricOf(name);
    const [label] = Object.keys(labels);
    const series = pairsOf(values[name]);
    if (series.length === 0) continue;
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options);
    for (const [value, amount] of series) metric.inc(label === undefined ? {} : { [label]: value }, amount);
  }
  return { status: 200, type: 'metrics', body: await registry.metrics() };
}

/** What is unknown is left out. */
function pairsOf(series: Series): [value: string, amount: number][] {
  const pairs = typeof series === 'number' ? [['', series] as const] : Object.entries(series ?? {});
  return pairs.flatMap(([value, amount]) =>
    amount !== undefined && Number.isFinite(amount) ? [[value, amount]] : [],
  );
}
