package redis

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
)

const (
	// placeEpoch is before the first Express Gateway; seconds since then and the bits below fit into what JavaScript
	// counts exactly (2^53) until 2287.
	placeEpoch = 1420070400
	idDigits   = 5 // hexadecimal ones
)

// place is where a consumer stands in lists.
type place struct {
	at int
	id string
}

// placeOf is a number made of the second of creation and the beginning of the id. What a page begins with is such a
// number: unlike a count it does not move when others are removed. Few consumers share one; those stay on one page.
func placeOf(created time.Time, id string) int {
	start := (id + "00000")[:idDigits]
	digits, err := strconv.ParseInt(start, 16, 64)
	if err != nil {
		digits = 0 // not the id of Express Gateway or ours
	}
	return int(max(created.Unix()-placeEpoch, 0)<<(4*idDigits)|digits) + 1 // 0 begins a list
}

// pageOf returns the ids of a page and where the next one begins, 0 after the last.
func pageOf(all []place, page consumer.Page) (ids []string, next int) {
	slices.SortFunc(all, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id)) })
	if page.Count <= 0 {
		page.Count = pageSize
	}
	from, _ := slices.BinarySearchFunc(all, page.Start, func(p place, start int) int { return cmp.Compare(p.at, start) })
	for i := from; i < len(all); i++ {
		if len(ids) >= page.Count && all[i].at != all[i-1].at {
			return ids, all[i].at
		}
		ids = append(ids, all[i].id)
	}
	return ids, 0
}
