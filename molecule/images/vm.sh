#!/bin/sh
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a test host's root, as the containers have it, one that a kernel of its own can boot.
# Arguments: the root, the public key that opens the machine, and the packages that a machine has beyond a container.
set -eu
root=$1
key=$2
shift 2

# Drivers for QEMU's devices and nothing else: without KVM, unpacking the usual ones would take seconds of each boot.
mkdir -p "$root/etc/initramfs-tools/conf.d"
echo MODULES=list >"$root/etc/initramfs-tools/conf.d/phpops"
printf '%s\n' virtio_pci virtio_blk virtio_net virtio_rng ext4 >"$root/etc/initramfs-tools/modules"

# No package may start a daemon here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt() {
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get --quiet=2 --yes --no-install-recommends \
        -o APT::Sandbox::User=root -o DPkg::Options::=--force-unsafe-io "$@"
}
apt update
apt install "$@" >"$root/var/log/phpops-vm.log" 2>&1 || { cat "$root/var/log/phpops-vm.log" >&2; exit 1; }
rm -f "$root/usr/sbin/policy-rc.d" "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
rm -rf "$root"/var/lib/apt/lists/*

echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
# The addresses of QEMU's network for users; it leads nowhere but to the forwarded port.
cat >"$root/etc/systemd/network/20-qemu.network" <<'END'
[Match]
Name=eth0

[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
END
: >"$root/etc/resolv.conf"
# Each machine gets its name from the kernel's command line.
rm -f "$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
chroot "$root" systemctl --quiet unmask systemd-udevd.service
# Its start takes longer than all the rest together without KVM; sendmail and postdrop work without it.
chroot "$root" systemctl --quiet disable postfix.service
chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
chroot "$root" systemctl --quiet mask systemd-network-generator.service systemd-pstore.service
install -d -m 0700 "$root/root/.ssh"
install -m 0600 "$key" "$root/root/.ssh/authorized_keys"
: >"$root/etc/machine-id"
