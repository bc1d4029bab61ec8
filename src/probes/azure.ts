import { bodyOf } from './host-tools.ts';
import { type CloudProbe, finding } from './probe.ts';
import { told } from './values.ts';

/** What the firmware of every virtual machine of Azure gives as its chassis' asset tag. */
const assetTag = '7783-7084-3265-9085-8269-3286-77';

/** A virtual machine of Azure (Azure documentation, "Azure Instance Metadata Service"). */
export function azureProbe(base = 'http://169.254.169.254'): CloudProbe {
  return {
    name: 'Azure metadata',

    async isHere(tools) {
      return (await tools.read('/sys/class/dmi/id/chassis_asset_tag'))?.trim() === assetTag;
    },

    async probe(tools) {
      const answer = await tools.request({
        method: 'GET',
        url: `${base}/metadata/instance/compute/vmId?api-version=2021-02-01&format=text`,
        headers: { metadata: 'true' },
      });
      const id = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/.exec(
        bodyOf(answer)?.trim() ?? '',
      )?.[0];
      return id === undefined
        ? undefined
        : finding({ 'pod.id': told(id, this.name), 'pod.provider': told('azure', this.name) });
    },
  };
}
