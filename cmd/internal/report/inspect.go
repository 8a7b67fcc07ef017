package report

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/report/tui"
	"egk8s.dev/egk8s/deployer"
)

// logTail is how many lines of a pod's log a pane begins with.
const logTail = 200

// source reads the logs and events that somebody looks at in a live view.
func source(a *app.App) tui.Source {
	return func(ctx context.Context, q tui.Query, line func(string)) error {
		target := a.Target("")
		target.Context, target.Namespace = cmp.Or(q.Header.Context, target.Context), cmp.Or(q.Header.Namespace, target.Namespace)
		if q.Pane == tui.Events {
			return deployer.Events(ctx, deployer.EventsOptions{Target: target, Name: q.Release, Object: q.Object, Follow: true}, func(e deployer.Occurrence) {
				line(occurrence(e, q.Object == ""))
			})
		}
		pod, one := strings.CutPrefix(q.Object, "Pod/")
		if !one {
			pod = ""
		}
		return deployer.Logs(ctx, deployer.LogsOptions{Target: target, Name: q.Release, Pod: pod, Follow: true, Tail: logTail}, func(l deployer.LogLine) {
			if pod == "" {
				l.Text = l.Pod + a.ErrTheme().Lines().Quote + l.Text
			}
			line(l.Text)
		})
	}
}

// occurrence is an event as one line; named: with its object.
func occurrence(e deployer.Occurrence, named bool) string {
	parts := []string{e.Time.Local().Format("15:04:05"), e.Type}
	if named {
		parts = append(parts, e.Object)
	}
	parts = append(parts, e.Reason, e.Message)
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("(x%d)", e.Count))
	}
	return strings.Join(parts, " ")
}
