package diag

import "strings"

// maxDistance is how many edits may lie between a word and what was meant.
const maxDistance = 2

// Suggest returns the candidate that was probably meant by word, or "" when none is near.
//
// Near is at most two edits (insert, delete, replace, swap neighbours) without regard to case, and fewer than
// half of the word's letters; of several the nearest, then the first. After those come candidates that share
// five letters or more: one that the word contains, as "withCredentials" does "credentials", and one that
// begins with the word, as "secretOrPublicKey" does with "secret".
func Suggest(word string, candidates []string) string {
	lower := strings.ToLower(word)
	best, bestDistance := "", maxDistance+1
	for _, c := range candidates {
		if c == word {
			continue
		}
		d := distance([]rune(lower), []rune(strings.ToLower(c)))
		if d < bestDistance && 2*d < max(len(lower), len(c)) {
			best, bestDistance = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if len(c) >= 5 && c != word && strings.Contains(lower, strings.ToLower(c)) {
			return c
		}
	}
	for _, c := range candidates {
		if len(lower) >= 5 && c != word && strings.HasPrefix(strings.ToLower(c), lower) {
			return c
		}
	}
	return ""
}

// distance is the optimal string alignment distance, cut off above maxDistance.
func distance(a, b []rune) int {
	if abs(len(a)-len(b)) > maxDistance {
		return maxDistance + 1
	}
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func abs(n int) int {
	return max(n, -n)
}
