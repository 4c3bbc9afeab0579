import alma from "./strategies/alma.ts";
import alpine from "./strategies/alpine.ts";
import amazon from "./strategies/amazon.ts";
import arch from "./strategies/arch.ts";
import centosStream from "./strategies/centos_stream.ts";
import cirros from "./strategies/cirros.ts";
import debian from "./strategies/debian.ts";
import fedora from "./strategies/fedora.ts";
import freebsd from "./strategies/freebsd.ts";
import generic from "./strategies/generic.ts";
import githubRelease from "./strategies/github_release.ts";
import kali from "./strategies/kali.ts";
import opensuse from "./strategies/opensuse.ts";
import oracle from "./strategies/oracle.ts";
import rocky from "./strategies/rocky.ts";
import ubuntu from "./strategies/ubuntu.ts";

/** Every strategy, by the word that sources name it with. */
export const strategies = {
  ubuntu,
  debian,
  alpine,
  fedora,
  "centos-stream": centosStream,
  rocky,
  alma,
  opensuse,
  arch,
  kali,
  freebsd,
  cirros,
  oracle,
  amazon,
  generic,
  "github-release": githubRelease,
};
