// Package smp is the device's end of the Simple Management Protocol (MCUmgr) over
// a serial line, so that smpmgr, mcumgr and others flash and read it. Its frames
// share the line with a console's text: [Demux] parts them.
//
// Sources:
//   - SMP: Zephyr documentation, "SMP protocol specification" (header, groups, errors)
//   - SERIAL: Zephyr documentation, "SMP over console" (frames of at most 127 bytes)
//   - CBOR: RFC 8949, CBOR
//   - WIRE: firmware/doc/wire.md, "SMP"
//
// [Server.Handle] takes one packet and gives the answer's; it does no I/O of its
// own. What stands behind the groups are small interfaces; a nil one is a group
// that this device does not have.
package smp
