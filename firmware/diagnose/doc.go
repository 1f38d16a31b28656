// Package diagnose weighs what a device has seen and says why something goes
// wrong again and again: which cause, how sure, by which evidence, and what
// would tell more. It is pure: observations come in, a ranking comes out.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md §4, signals, weights, gates, causes
//   - WILSON: E. B. Wilson, "Probable inference", JASA 1927: the lower bound of a share
//   - TS27.007: 3GPP TS 27.007 §8.5, +CSQ: signal 0..31, bit error rate 0..7
//
// A signal is a count with its quality and age: a level comes from the lower
// Wilson bound of a share over enough samples, never from a raw ratio. What one
// event already explains is taken out event by event: a card that is swiped again
// because no answer came is no repeat of its holder's. A score is the sum of a
// prior and the weights of the signals; softmax makes shares of the scores. Below
// 45 % or with less than 10 % before the next, the cause is not clear, and the
// one test that would tell most is named.
package diagnose
