// Package card is a simulated chip card behind a func(C-APDU) R-APDU: debit and
// credit cards in UnionPay's manner, personalised from TOML, with real keys, real
// certificates, real cryptograms, a PIN try counter, ARPC and script checks, and on
// command every fault that a card can have.
//
// Sources (EMV edition 4.3):
//   - B1: EMV Book 1 §11, §12 · B3: EMV Book 3 §6.5 (commands)
//   - B2: EMV Book 2 §5, §6, §8.1, §8.2, Annex A1 (keys, certificates, cryptograms)
//   - PBOC: JR/T 0025.7-2013 (session keys of cryptogram version 01)
//   - ISO9797: ISO/IEC 9797-1:2011, MAC algorithm 3, padding methods 1 and 2
//
// It shares no code with firmware/emv, not even the reading of TLV, so that card
// and kernel cannot be wrong together; its cryptography is proven by published
// values, and hostsim takes the issuer's half from here.
//
// All keys in keys/ are TEST KEYS, made for this directory and published with it.
package card
