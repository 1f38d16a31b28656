package hal

// Caption is a screen in words: what it shows, its message code and what the
// device waits for. It serves whoever cannot look at pixels: the bench's
// scripts, remote help, a braille or speech unit.
type Caption struct {
	Code   string   `json:"code"`             // the prompt's code, "P-AMT-01"
	Input  string   `json:"input"`            // what the device waits for: "amount", "card", "confirm", "pin", "menu", "ack", "none"
	Lang   string   `json:"lang"`             // "zh", "en"
	Secret bool     `json:"secret,omitempty"` // what is keyed now is not to be seen: a PIN, a card number, a part of a key
	Lines  []string `json:"lines"`            // top to bottom, exactly the texts on the screen
}

// Captioner is a display that also takes the words. Call it just before Draw
// with the words of that frame.
type Captioner interface {
	Caption(c Caption) error
}
