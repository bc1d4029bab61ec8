import { finding, type HostProbe } from './probe.ts';
import { plainText, told } from './values.ts';

/** The last word on where it ran: the name of the machine or container. */
export const hostNameProbe: HostProbe = {
  name: 'host name',

  async probe({ hostName }) {
    return finding({ 'pod.id': told(plainText(hostName), this.name) });
  },
};
