package hal

// MACAlg is how a message authentication code is made; the names stand in
// board files.
type MACAlg string

const (
	MACECB    MACAlg = "ecb"      // UnionPay, Q/CUP 009: eight hex characters
	MACX99    MACAlg = "x9.9"     // single DES, CBC, zero-padded: 8 bytes
	MACX919   MACAlg = "x9.19"    // ISO 9797-1 algorithm 3, padding 1: 8 bytes
	MACCBC    MACAlg = "3des-cbc" // CBC under the whole DES key: 8 bytes
	MACSM4CBC MACAlg = "sm4-cbc"  // CBC under an SM4 key: the left 8 bytes
	MACCMAC   MACAlg = "cmac"     // SP 800-38B: the left 8 bytes of 8 (TDES) or 16 (AES)
)

// PINFormat is how a PIN and a card number become a block. ISO 9564-1:2017 §9.3.
type PINFormat byte

const (
	PINFormat0 PINFormat = '0' // format 0; UnionPay's 2x (DE 53, first digit 2)
	PINNoPAN   PINFormat = '1' // UnionPay's 1x: the PIN field alone, filled with F. Not ISO's format 1
	PINSM4     PINFormat = 'S' // 0 in 16 bytes, as banks have it with SM4: filled with F, the twelve digits at the end
	PINFormat3 PINFormat = '3' // as 0, filled with random A–F
	PINFormat4 PINFormat = '4' // 16 bytes, for a cipher of 16-byte blocks
	MinPIN               = 4   // digits. ISO 9564-1 §8.1
	MaxPIN               = 12
)
