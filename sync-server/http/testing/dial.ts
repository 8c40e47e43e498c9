import { WebSocket } from 'ws';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';
import { type Peer, makePeer } from '../../core/testing/peer.ts';

/** A hand-driven client on one document over a real socket; it says what it has to say once the socket is open. */
export function dial(url: string, documentId: string, token: string | null): Peer {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url}/${documentId}`, [SUB_PROTOCOL], { headers });
  const waiting: Uint8Array[] = [];
  return makePeer((server) => {
    socket.on('open', () => waiting.splice(0).forEach((frame) => socket.send(frame)));
    socket.on('message', (frame: Buffer) => server.send(Uint8Array.from(frame)));
    socket.on('close', (code, reason) => server.close(code, reason.toString()));
    socket.on('error', () => {});
    return {
      userId: '',
      sid: '',
      receive(frame) {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame);
        else if (socket.readyState === WebSocket.CONNECTING) waiting.push(frame);
      },
      closed: () => socket.terminate(),
      end: () => socket.terminate(),
      extend() {},
    };
  });
}
