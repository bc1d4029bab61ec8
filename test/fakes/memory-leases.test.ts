import { leaseStoreContract } from '../contracts/lease-store.ts';
import { MemoryLeases } from './memory-leases.ts';

leaseStoreContract('memory', async () => {
  const sessions = new Set<string>();
  const leases = new MemoryLeases(async (root) => sessions.has(root));
  return {
    hosts: [leases, leases],
    makeSession: async (root) => void sessions.add(root),
    removeSession: async (root) => void sessions.delete(root),
  };
});
