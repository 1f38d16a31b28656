// Package update puts a new build into the slot that does not run, tries it, and
// keeps it or goes back: two slots, a boot record in two copies, and rules that
// hold wherever the power fails.
//
// Sources:
//   - RAUC: RAUC manual, "Slot status and bootloader interaction": the target is
//     marked bad first, the tries count down in the loader
//   - UBOOT: U-Boot, tools/env and env/common.c: an environment is a CRC-32,
//     little endian, and words name=value, each ended by a zero
//   - MCUBOOT: MCUboot issues 480 and 2282: what a cut inside a rollback broke
//   - WIRE: firmware/doc/wire.md, "The boot record"
//
// The order of an update, each arrow a record on the disk:
//
//	target unbootable → blocks → image noted → trial → confirmed
//	                                              ↘ tries used up → rolled back
//
// The loader ([Record.Boot], a U-Boot script or scripts/bootsel) takes one from
// the tries of the slot it starts, before it starts it. Nothing else does, so a
// build that hangs before its first instruction is counted too.
package update
