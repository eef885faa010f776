package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Last names the newest run, as -1 does; -2 is the one before.
const Last = "last"

// NotFoundError is a word that names no run.
type NotFoundError struct {
	Word string
	// Among are the runs that begin with the word when there are several.
	Among []Run
	// Runs is how many there are to choose from.
	Runs int
}

// mostAmong is how many runs are named that a word could mean.
const mostAmong = 8

func (e *NotFoundError) Error() string {
	if len(e.Among) > 0 {
		var ids []string
		for _, run := range e.Among[:min(mostAmong, len(e.Among))] {
			ids = append(ids, run.ID)
		}
		text := fmt.Sprintf("%q could be any of %s", e.Word, strings.Join(ids, ", "))
		if more := len(e.Among) - mostAmong; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		return text
	}
	if n, counts := back(e.Word); counts && e.Runs < n {
		return fmt.Sprintf("there is no run %s: the history has %d", e.Word, e.Runs)
	}
	return fmt.Sprintf("no run is called %q", e.Word)
}

// back reads a count from the newest run: 1 for last and -1.
func back(word string) (n int, counts bool) {
	if word == Last {
		return 1, true
	}
	digits, ok := strings.CutPrefix(word, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0
}

// Find finds the run that a word names: by its id, the beginning of one if no
// other begins like that, or, counted among recent, with last or -N. Both lists
// begin with the newest.
func Find(word string, all, recent []Run) (Run, error) {
	if n, counts := back(word); counts {
		if n > len(recent) {
			return Run{}, &NotFoundError{Word: word, Runs: len(recent)}
		}
		return recent[n-1], nil
	}
	var found []Run
	for _, run := range all {
		if run.ID == word {
			return run, nil
		}
		if word != "" && strings.HasPrefix(run.ID, word) {
			found = append(found, run)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return Run{}, &NotFoundError{Word: word, Among: found, Runs: len(all)}
}
