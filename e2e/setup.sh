#!/usr/bin/env bash
# Installs what the e2e tests start, where this is root on Debian; says what is missing elsewhere.
set -euo pipefail

# package → a file that shows it is there
wanted=(
  "etcd-server:/usr/bin/etcd"
  "etcd-client:/usr/bin/etcdctl"
  "git:/usr/bin/git"
  "openssl:/usr/bin/openssl"
  # Servers of Git, and what signs and encrypts, for e2e/git-transports.test.ts and e2e/git-trust.test.ts.
  "lighttpd:/usr/sbin/lighttpd"
  "lighttpd-mod-openssl:/usr/lib/lighttpd/mod_openssl.so"
  "openssh-client:/usr/bin/ssh-keygen"
  "openssh-server:/usr/sbin/sshd"
  "gnupg:/usr/bin/gpg"
  "age:/usr/bin/age"
  # e2e/dns compares our nameserver with these, resolves and validates through them.
  "nsd:/usr/sbin/nsd"
  "knot:/usr/sbin/knotd"
  "knot-dnsutils:/usr/bin/kdig"
  "unbound:/usr/sbin/unbound"
  "bind9:/usr/sbin/named"
  "bind9-dnsutils:/usr/bin/delv"
  # For runtime/node/udp-batch.
  "gcc:/usr/bin/gcc"
  "libc6-dev:/usr/include/stdio.h"
  # Let's Encrypt's test CA, for e2e/acme.
  "pebble:/usr/bin/pebble"
  # A registry of images, for e2e/image.test.ts.
  "docker-registry:/usr/bin/docker-registry"
  # For e2e/browser; certutil tells it which CA to trust.
  "chromium:/usr/bin/chromium"
  "libnss3-tools:/usr/bin/certutil"
  # A terminal for e2e/terminal.test.ts, and shells whose completion e2e/completion.test.ts tries.
  "tmux:/usr/bin/tmux"
  "zsh:/usr/bin/zsh"
  "fish:/usr/bin/fish"
  # What bench/publish measures itself against.
  "rsync:/usr/bin/rsync"
  "postgresql-doc-15:/usr/share/doc/postgresql-doc-15/html/index.html"
)
missing=()
for entry in "${wanted[@]}"; do
  [ -e "${entry#*:}" ] || missing+=("${entry%%:*}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed, so the tests that need them are skipped: ${missing[*]}" >&2
  exit 0
fi

echo "installing ${missing[*]}"
# Debian would start etcd, sshd and the nameservers as services; the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Minimal images leave documentation out; the tests push some as a real site.
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--path-include='/usr/share/doc/*' \
  "${missing[@]}" >/dev/null
# Nor at the next boot. Only what was installed just now: what was there before is the owner's.
declare -A units=([docker-registry]=docker-registry [lighttpd]=lighttpd [openssh-server]=ssh [rsync]=rsync [etcd-server]=etcd [nsd]=nsd [knot]=knot [unbound]=unbound [bind9]=named)
if command -v systemctl >/dev/null; then
  for package in "${missing[@]}"; do
    [ -z "${units[$package]:-}" ] || systemctl disable -q "${units[$package]}" || true
  done
fi
