package words

// Nearest returns the word that is spelled most like another, "" if none is near.
func Nearest(word string, words []string) string {
	best, least := "", 1+min(2, len(word)/2)
	for _, w := range words {
		if d := misspelled(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// misspelled counts the letters that must be put in, taken out or replaced to
// make b of a (the distance of Levenshtein).
func misspelled(a, b string) int {
	row := make([]int, len(b)+1) // from the part of a so far to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
