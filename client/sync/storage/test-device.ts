import { IDBFactory, forceCloseDatabase } from 'fake-indexeddb';

/** IndexedDB of one browser in memory, as the global one, with what browsers do to it. */
export function makeTestDevice() {
  let connections: IDBDatabase[] = [];
  /** Set, it decides what becomes of a request to open a database: false, and it is refused. */
  let isOpenable = (_name: string): boolean => true;

  function renew(): void {
    const factory = new IDBFactory();
    const open = factory.open.bind(factory);
    factory.open = (name, version) => {
      if (!isOpenable(name)) throw new DOMException('not here', 'SecurityError');
      const request = open(name, version);
      request.addEventListener('success', () => connections.push(request.result));
      return request;
    };
    globalThis.indexedDB = factory;
  }
  /** Closes every connection under its owner. */
  function closeAll(): void {
    const all = connections;
    connections = [];
    for (const connection of all) forceCloseDatabase(connection as never);
  }
  renew();

  return {
    closeAll,
    /** The same, and nobody is told. */
    closeUnheard: () => connections.splice(0).forEach((connection) => connection.close()),
    /** Clears the whole origin. */
    wipe() {
      renew();
      closeAll();
    },
    setOpenable: (next: typeof isOpenable) => void (isOpenable = next),
  };
}
