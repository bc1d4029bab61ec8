import { bodyOf } from './host-tools.ts';
import { type CloudProbe, finding } from './probe.ts';
import { told } from './values.ts';

/** An EC2 instance, by IMDSv2 (EC2 User Guide, "Use the Instance Metadata Service"). Version 1 is not asked. */
export function awsProbe(base = 'http://169.254.169.254'): CloudProbe {
  return {
    name: 'AWS metadata',
    switchedOffBy: 'AWS_EC2_METADATA_DISABLED',

    async isHere(tools) {
      const vendor = await tools.read('/sys/class/dmi/id/sys_vendor');
      if (vendor?.trim() === 'Amazon EC2') return true;
      // Instances on Xen.
      return (await tools.read('/sys/hypervisor/uuid'))?.startsWith('ec2') === true;
    },

    async probe(tools) {
      const token = bodyOf(
        await tools.request({
          method: 'PUT',
          url: `${base}/latest/api/token`,
          headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
        }),
      );
      if (token === undefined || !/^[\x21-\x7e]{1,512}$/.test(token)) return undefined;
      const answer = await tools.request({
        method: 'GET',
        url: `${base}/latest/meta-data/instance-id`,
        headers: { 'x-aws-ec2-metadata-token': token },
      });
      const id = /^i-[0-9a-f]{8,32}$/.exec(bodyOf(answer)?.trim() ?? '')?.[0];
      return id === undefined
        ? undefined
        : finding({ 'pod.id': told(id, this.name), 'pod.provider': told('aws', this.name) });
    },
  };
}
