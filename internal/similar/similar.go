// Package similar finds the word that was probably meant, for hints. It knows
// no words itself, and does not say how the hint is worded.
package similar

import "github.com/agext/levenshtein"

// Word returns the one of the known words that is most like a word, the first
// one of several, "" when none is like it: more than six of ten characters have
// to be the same, of which those at the beginning count more. Case matters.
func Word(word string, known []string) string { return closest(word, known, 0.6) }

// File is Word for the names of files. They have to be more alike, as most have
// an extension in common.
func File(name string, known []string) string { return closest(name, known, 0.7) }

// closest returns the first of the known words that are most like a word, where
// they are by more than near, of 1.
func closest(word string, known []string, near float64) string {
	best := ""
	for _, other := range known {
		if m := levenshtein.Match(word, other, nil); m > near {
			best, near = other, m
		}
	}
	return best
}
