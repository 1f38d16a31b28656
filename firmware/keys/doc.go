// Package keys is the program's side of a hal.KeyStore: session keys from DE 62,
// message authentication, PIN blocks, track encryption, and the seal of what the
// store keeps. It has slots, data and cryptograms; key bytes and clear PIN blocks
// stay inside the KeyStore.
//
// The packages below it are what an element computes inside: key (the one type
// that holds key bytes), sm4, mac, pinblock, track, dukpt, tr31. They are pure and
// know hal only; drivers/softkeys, which stands for an element, runs them.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.2 (tracks), §1.3 (forms), §1.5 (MAC), §1.6 (DE 62)
package keys
