// Package image builds the device's disk: a kernel of Debian's, an archive in
// memory whose first program is ours, two slots of a signed build each, the boot
// record and a data partition. It runs at the desk, never on a device.
//
// Sources:
//   - CPIO: Linux Documentation/driver-api/early-userspace/buffer-format.rst (newc)
//   - MODULE: Linux Documentation/kbuild/modules.rst; the section .modinfo of a .ko
//   - GPT: UEFI 2.10 §5.3
//   - FIT: U-Boot doc/usage/fit/source_file_format.rst, signature.rst; mkimage(1)
//   - UBOOT: U-Boot doc/usage/environment.rst, cmd env; scripts/ab.env
//   - APT: apt-get(8), apt.conf(5)
package image
