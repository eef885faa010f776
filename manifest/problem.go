package manifest

// Severity grades a Problem.
type Severity string

// An Error is what the server or its runner would refuse or silently get
// wrong; a Warning is probably not what the author meant; an Info is good to
// know.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Problem is one thing found wrong in a file. Message is one lower-case
// sentence without a final stop; Hint, when there is one, says what to do.
// Neither ever contains the value of a variable or secret.
type Problem struct {
	Severity Severity
	Rule     string // stable id, for example "unknown-key"
	Span     Span
	Message  string
	Hint     string
	Pipeline string // name of the pipeline, "" outside one
	Step     string // name of the step, "" outside one
	Related  []Related
	// Fix is the change of the text that mends it, nil where none is sure to.
	Fix *Edit
}

// Edit replaces the text of a span of the source.
type Edit struct {
	Span Span
	Text string
}

// Related points at another place that belongs to a Problem.
type Related struct {
	Span    Span
	Message string
}
