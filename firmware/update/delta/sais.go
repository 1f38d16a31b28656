package delta

// suffixArray sorts the suffixes of s, which has letters 0 to top, in linear
// time. SAIS.
func suffixArray[T byte | int32](s []T, top int) []int32 {
	n := len(s)
	switch n {
	case 0:
		return nil
	case 1:
		return []int32{0}
	}
	small := make([]bool, n) // the suffix is smaller than the one behind it: type S
	for i := n - 2; i >= 0; i-- {
		small[i] = s[i] < s[i+1] || s[i] == s[i+1] && small[i+1]
	}
	// Where the suffixes of each letter begin: first type L, then type S.
	startL, startS := make([]int32, top+2), make([]int32, top+2)
	for i := range n {
		if small[i] {
			startL[int(s[i])+1]++
		} else {
			startS[s[i]]++
		}
	}
	for c := 0; c <= top; c++ {
		startS[c] += startL[c]
		startL[c+1] += startS[c]
	}
	sa, next := make([]int32, n), make([]int32, top+2)
	induce := func(lms []int32) {
		for i := range sa {
			sa[i] = -1
		}
		copy(next, startS)
		for _, d := range lms {
			sa[next[s[d]]] = d
			next[s[d]]++
		}
		copy(next, startL)
		sa[next[s[n-1]]] = int32(n - 1)
		next[s[n-1]]++
		for i := range n {
			if v := sa[i]; v >= 1 && !small[v-1] {
				sa[next[s[v-1]]] = v - 1
				next[s[v-1]]++
			}
		}
		copy(next, startL)
		for i := n - 1; i >= 0; i-- {
			if v := sa[i]; v >= 1 && small[v-1] {
				c := int(s[v-1]) + 1
				next[c]--
				sa[next[c]] = v - 1
			}
		}
	}
	index := make([]int32, n+1) // of a leftmost S among its like, -1 for others
	var lms []int32
	for i := range index {
		index[i] = -1
	}
	for i := 1; i < n; i++ {
		if !small[i-1] && small[i] {
			index[i] = int32(len(lms))
			lms = append(lms, int32(i))
		}
	}
	induce(lms)
	if len(lms) == 0 {
		return sa
	}
	sorted := make([]int32, 0, len(lms))
	for _, v := range sa {
		if index[v] >= 0 {
			sorted = append(sorted, v)
		}
	}
	names, name := make([]int32, len(lms)), int32(0)
	end := func(p int32) int32 {
		if i := int(index[p]) + 1; i < len(lms) {
			return lms[i]
		}
		return int32(n)
	}
	for i := 1; i < len(sorted); i++ {
		if !sameBlock(s, sorted[i-1], sorted[i], end(sorted[i-1]), end(sorted[i])) {
			name++
		}
		names[index[sorted[i]]] = name
	}
	for i, r := range suffixArray(names, int(name)) {
		sorted[i] = lms[r]
	}
	induce(sorted)
	return sa
}

// sameBlock tells whether s[l:endL] and s[r:endR] with the letter behind them
// are alike.
func sameBlock[T byte | int32](s []T, l, r, endL, endR int32) bool {
	if endL-l != endR-r {
		return false
	}
	for l < endL && s[l] == s[r] {
		l, r = l+1, r+1
	}
	return l == endL && int(endL) < len(s) && int(r) < len(s) && s[l] == s[r]
}
