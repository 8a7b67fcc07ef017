package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// File writes a report of one kind when the run has ended.
type File struct {
	kind, path string
	log        io.Writer
	snaps      snapshots
}

// NewFile returns a File of a kind (junit, json, markdown, dotenv). A report that cannot be written is
// a warning on log: it does not change how the run ended.
func NewFile(kind, path string, log io.Writer) *File { return &File{kind: kind, path: path, log: log} }

// Emit takes the event in.
func (f *File) Emit(e event.Event) { f.snaps.apply(e) }

// Beat does nothing.
func (f *File) Beat(time.Time) {}

// Close writes the file.
func (f *File) Close(e Ending) {
	data, err := f.render(e)
	if err == nil {
		err = os.WriteFile(f.path, data, 0o644)
	}
	if err != nil {
		fmt.Fprintf(f.log, "warning: write %s report: %v\n", f.kind, err)
	}
}

func (f *File) render(e Ending) ([]byte, error) {
	switch f.kind {
	case "junit":
		return f.snaps.junit(e)
	case "markdown":
		return []byte(f.snaps.markdown(e)), nil
	case "dotenv":
		return []byte(Dotenv(e)), nil
	default:
		doc := e.Document
		if doc == nil {
			doc = e.Result
		}
		data, err := json.MarshalIndent(doc, "", "  ")
		return append(data, '\n'), err
	}
}
