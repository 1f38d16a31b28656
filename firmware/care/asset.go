package care

// Asset is one thing of a device's inventory. THROTTLE §1 S24.
type Asset struct {
	Key   string // of texts
	Value string
	// Due is the day until which it holds, counted from 1970-01-01; 0 no end.
	Due int32
}

// AssetPage lists them; how many are due comes first.
func AssetPage(list []Asset, wall int64) (page []Line) {
	today, due := dayOf(wall), 0
	for _, a := range list {
		if a.Due != 0 && a.Due-30 <= today {
			due++
		}
	}
	page = append(page, say("asset.head", num(len(list)), num(due)))
	for _, a := range list {
		switch {
		case a.Due != 0 && a.Due < today:
			page = append(page, say("asset.over", "@"+a.Key, a.Value))
		case a.Due != 0 && a.Due-30 <= today:
			page = append(page, say("asset.soon", "@"+a.Key, a.Value, num(int(a.Due-today))))
		default:
			page = append(page, say("asset.row", "@"+a.Key, a.Value))
		}
	}
	return page
}
