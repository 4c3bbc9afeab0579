/** Who a guest is from now on. */
export interface Identity {
  hostname: string;
  /** cloud-init's; a later cold boot with a seed of this id is no first boot. */
  instanceId: string;
  /** 32 hex digits. */
  machineId: string;
  /** The guest's only SSH host key, OpenSSH PEM and `ssh-ed25519 AAAA...`. */
  hostKey: { private: string; public: string };
  /** The login user, which is there already. */
  user: string;
  /** Lines of an authorized_keys file: exactly these may log in as `user`; absent: as before. */
  authorizedKeys?: string[];
}

/** The parts of a renewal that are asked for; the others leave the guest as it is. */
export interface RenewalParts {
  identity?: Identity;
  /**
   * Ends every TCP connection to the outside, so that programs fail at once rather than hang. That
   * takes in the ones begun before the answer, from the host too.
   */
  cutConnections?: true;
  /** The disk has grown: its last partition and the root file system take what was added. */
  growRoot?: true;
  /**
   * The seed is another one: cloud-init takes it as a new instance's first boot, in the background
   * after the answer; `cloud-init status --wait` waits for this run. The identity's instance is then
   * left to cloud-init.
   */
  userData?: true;
}

/** What is sent to a guest that has woken from frozen memory. */
export interface Renewal extends RenewalParts {
  /** The host's time, seconds since 1970. */
  at: number;
  /** Random bytes, in base64: clones must not share what their kernels make of the old ones. */
  entropy: string;
}

/** What is sent to a guest before it is frozen: trim, write everything, wait until it is quiet. */
export interface Preparation {
  prepare: true;
}

/** What a guest answers. */
export interface Renewed {
  /** What of it could not be done, in the guest's words. */
  problems: string[];
  /** Of a preparation: whether the guest has calmed down. */
  quiet?: boolean;
}

const ENTROPY_BYTES = 64;

/** A renewal with the time and random bytes of this moment. */
export function freshRenewal(now: Date, parts: RenewalParts): Renewal {
  return {
    at: now.getTime() / 1000,
    entropy: crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES)).toBase64(),
    ...parts,
  };
}
