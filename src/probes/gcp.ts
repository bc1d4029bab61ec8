import { bodyOf } from './host-tools.ts';
import { type CloudProbe, finding } from './probe.ts';
import { told } from './values.ts';

/** A Compute Engine instance (Compute Engine documentation, "About VM metadata"). */
export function gcpProbe(base = 'http://169.254.169.254'): CloudProbe {
  return {
    name: 'GCP metadata',

    async isHere(tools) {
      const product = await tools.read('/sys/class/dmi/id/product_name');
      return product?.trim() === 'Google Compute Engine' || product?.trim() === 'Google';
    },

    async probe(tools) {
      const answer = await tools.request({
        method: 'GET',
        url: `${base}/computeMetadata/v1/instance/id`,
        headers: { 'metadata-flavor': 'Google' },
      });
      // As text: the number does not fit a double.
      const id = /^\d{1,20}$/.exec(bodyOf(answer)?.trim() ?? '')?.[0];
      return id === undefined
        ? undefined
        : finding({ 'pod.id': told(id, this.name), 'pod.provider': told('gcp', this.name) });
    },
  };
}
