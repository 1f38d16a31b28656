package iso8583

// Balance is DE 54: what the account has, or another amount beside DE 4.
type Balance struct {
	Account  string // n2, account type
	Kind     string // n2, amount type
	Currency string // an3: "156"
	Minor    int64  // in the currency's minor unit; negative for sign D
}

// balanceSize is account 2, kind 2, currency 3, sign 1, amount 12.
const balanceSize = 20

// ParseBalance reads DE 54.
func ParseBalance(text string) (b Balance, err error) {
	if len(text) != balanceSize {
		return b, UnionPay.fail(DEBalance, len(text), BadLength)
	}
	b = Balance{Account: text[:2], Kind: text[2:4], Currency: text[4:7]}
	for i := 8; i < balanceSize; i++ {
		if text[i] < '0' || text[i] > '9' {
			return Balance{}, UnionPay.fail(DEBalance, i, BadDigit)
		}
		b.Minor = b.Minor*10 + int64(text[i]-'0')
	}
	switch text[7] {
	case 'C':
	case 'D':
		b.Minor = -b.Minor
	default:
		return Balance{}, UnionPay.fail(DEBalance, 7, BadValue)
	}
	return b, nil
}

// Text is DE 54 as SetText takes it.
func (b Balance) Text() (string, error) {
	sign, v := byte('C'), b.Minor
	if v < 0 {
		sign, v = 'D', -v
	}
	if len(b.Account) != 2 || len(b.Kind) != 2 || len(b.Currency) != 3 || v > 999999999999 || v < 0 {
		return "", UnionPay.fail(DEBalance, 0, BadLength)
	}
	out := append([]byte(b.Account+b.Kind+b.Currency), sign)
	for unit := int64(100000000000); unit > 0; unit /= 10 {
		out = append(out, '0'+byte(v/unit%10))
	}
	return string(out), nil
}
