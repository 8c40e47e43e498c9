/** How safe what is kept on this device is, and what it takes. */
export interface StorageState {
  /** The browser will not clear it by itself. */
  isPersistent: boolean;
  usedBytes: number;
  quotaBytes: number;
}

export interface DeviceStorage {
  /** Asks the browser to keep what is here, until it agrees; browsers may ask the person. */
  persist: () => Promise<boolean>;
  state: () => Promise<StorageState>;
}

/** The device's storage; a browser that cannot say has none to promise. */
export function makeDeviceStorage(manager: StorageManager | undefined): DeviceStorage {
  const isPersistent = async (): Promise<boolean> => (await manager?.persisted?.()) ?? false;
  return {
    persist: async () => (await isPersistent()) || ((await manager?.persist?.().catch(() => false)) ?? false),
    async state() {
      const { usage = 0, quota = 0 } = (await manager?.estimate?.()) ?? {};
      return { isPersistent: await isPersistent(), usedBytes: usage, quotaBytes: quota };
    },
  };
}
