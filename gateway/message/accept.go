package message

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Accepts returns which of the offered media types the client likes best, or "" when it takes none.
// Without a header Accept it is the first one; of equal ones the one that the client named first.
// EG: req.accepts of Express (negotiator).
func (r *Request) Accepts(offers ...string) string {
	accept := r.Header.Joined("Accept")
	if accept == "" {
		return offers[0]
	}
	var liked []preference
	for i, offer := range offers {
		if p := prefer(accept, offer); p.quality > 0 {
			p.offer = i
			liked = append(liked, p)
		}
	}
	if len(liked) == 0 {
		return ""
	}
	best := slices.MinFunc(liked, func(a, b preference) int {
		return cmp.Or(cmp.Compare(b.quality, a.quality), cmp.Compare(b.specificity, a.specificity),
			cmp.Compare(a.place, b.place), cmp.Compare(a.offer, b.offer))
	})
	return offers[best.offer]
}

// preference is how much a client likes one offer, by the range of Accept that fits it best.
type preference struct {
	quality      float64
	specificity  int // 4: the type, 2: the subtype, as in "text/*" or "*/*"
	place, offer int // in Accept, in the offers
}

func prefer(accept, offer string) preference {
	best := preference{specificity: -1}
	place := 0
	for part := range strings.SplitSeq(accept, ",") {
		p, ok := matchRange(part, offer)
		p.place = place
		place++
		if ok && cmp.Or( // of equal ranges the last one counts
			cmp.Compare(p.specificity, best.specificity), cmp.Compare(p.quality, best.quality), 1) > 0 {
			best = p
		}
	}
	return best
}

// matchRange tells how one range of Accept, such as "text/*;q=0.5", fits a media type without parameters.
func matchRange(part, offer string) (preference, bool) {
	name, rest, _ := strings.Cut(part, ";")
	kind, subtype, ok := strings.Cut(strings.TrimSpace(name), "/")
	offeredKind, offeredSubtype, _ := strings.Cut(offer, "/")
	p := preference{quality: 1}
	switch {
	case !ok:
		return p, false
	case strings.EqualFold(kind, offeredKind):
		p.specificity = 4
	case kind != "*":
		return p, false
	}
	switch {
	case strings.EqualFold(subtype, offeredSubtype):
		p.specificity += 2
	case subtype != "*":
		return p, false
	}
	for param := range strings.SplitSeq(rest, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch {
		case key == "":
		case strings.EqualFold(key, "q"):
			q, err := strconv.ParseFloat(value, 64)
			if err != nil {
				q = 0
			}
			p.quality = q
			return p, true // what follows belongs to Accept, not to the type
		case value != "*":
			return p, false // the offers have no parameters
		}
	}
	return p, true
}
