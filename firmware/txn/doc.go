// Package txn is the brain of the terminal: one pure function from a state and
// a fact to the next state and a list of orders.
//
//	next, effects := txn.Step(state, event)
//
// The caller commits what is durable of next, and every row effect, in one
// transaction of the store; only then does it run the other effects. Nothing
// here reads a clock, a random number or a card: facts come in with events,
// and a card is a [pos.CardRef], so that a journal of events can be replayed
// on a desk.
//
// Sources:
//   - DESIGN: design §2, the money rules (1)–(7)
//   - HOST: firmware/doc/wire.md; UnionPay Q/CUP 009 and 006.6, DE 39 and its actions
//
// The phases of a sale:
//
//	Ready ─digit▶ Keying ─enter▶ AwaitCard ─card▶ Confirming ─enter▶ EnteringPIN
//	  ▲                                                                   │
//	  │                      each due reversal, a sign-on if one is needed▼
//	  └─key─ Result ◀─outcome (commit 2)─ Online ◀─intent (commit 1)─ Preparing
package txn
